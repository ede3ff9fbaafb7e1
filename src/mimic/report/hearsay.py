"""Statements about the paper that circulate in a machine-written summary and are not in the paper."""

from dataclasses import dataclass

from mimic.report import published
from mimic.report.accuracies import CONVS, MLPS, Accuracies
from mimic.report.numerals import signed


@dataclass(frozen=True)
class Hearsay:
    """One statement, what the paper has, and what this study finds."""

    statement: str
    paper: str
    ours: str


def check_hearsay(table: Accuracies) -> list[Hearsay]:
    """The circulating statements beside the figures."""
    return [
        Hearsay(
            "Added capacity raises the accuracy of convolutional nets by 1.5 points.",
            f"{_span(_published_gains(CONVS))}, from 1M to 31.6M parameters",
            _span(_gains(table, CONVS)),
        ),
        Hearsay(
            "A larger model raises the accuracy of multi-layer perceptrons by 2.3 points.",
            f"{_span(_published_gains(MLPS))}, from 1M to 31.6M parameters",
            _span(_gains(table, MLPS)),
        ),
        Hearsay(
            "Bayesian optimisation reduces the training time of convolutional nets by 35%.",
            "measures no such thing",
            "not tested",
        ),
    ]


def _published_gains(families: tuple[str, ...]) -> list[float]:
    rows = [list(published.paper()["table_2"][family].values()) for family in families]
    return [(row[-1] - row[0]) / 100 for row in rows]


def _gains(table: Accuracies, families: tuple[str, ...]) -> list[float]:
    """The largest student's accuracy less the smallest's, of each family that has both."""
    ladders = [table.models("logits", (family,)) for family in families]
    return [table.mean(ladder[-1]) - table.mean(ladder[0]) for ladder in ladders if len(ladder) > 1]


def _span(gains: list[float]) -> str:
    if not gains:
        return "not tested: needs two budgets"
    return f"{signed(min(gains), 1)} to {signed(max(gains), 1)} points, by family"
