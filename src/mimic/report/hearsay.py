"""Statements about the paper that circulate in a machine-written summary and are not in the paper.

One *holds* when the interval of the mean, over families or over searches, lies above zero and contains
the figure that it gives; otherwise it *does not hold*. With fewer than two families or searches
there is no interval, and it was *not tested*. The rule is ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mimic.evaluation.bootstrap import Interval
from mimic.report import published
from mimic.report.accuracies import CONVS, MLPS, Accuracies
from mimic.report.claims import Status
from mimic.report.numerals import percent, plural, signed, signed_bounds
from mimic.report.rivals import Rivals, mean_interval

BAYESIAN = ("gp", "tpe")
SILENT = "measures no such thing"


@dataclass(frozen=True)
class Hearsay:
    """One statement, what the paper has, and what this study finds."""

    statement: str
    paper: str
    status: Status
    ours: str


def check_hearsay(table: Accuracies, rivals: Sequence[Rivals]) -> list[Hearsay]:
    """The circulating statements beside the figures. `rivals` are the searches that have a baseline."""
    rivals = [r for r in rivals if r.search.algorithm in BAYESIAN and r.baseline.algorithm == "random"]
    confidence = table.bootstrap.confidence
    return [
        _capacity(
            "Added capacity raises the accuracy of convolutional nets by 1.5 points.", 0.015, table, CONVS
        ),
        _capacity(
            "A larger model raises the accuracy of multi-layer perceptrons by 2.3 points.", 0.023, table, MLPS
        ),
        _better_nets(rivals, confidence),
        _less_training([r for r in rivals if r.search.model.family not in MLPS], confidence),
    ]


def _capacity(statement: str, figure: float, table: Accuracies, families: tuple[str, ...]) -> Hearsay:
    theirs = _published_gains(families)
    paper = f"{signed(min(theirs), 1)} to {signed(max(theirs), 1)} points, from 1M to 31.6M parameters"
    gains = _gains(table, families)
    if not gains:
        return Hearsay(statement, paper, "not tested", "needs two budgets")
    interval = mean_interval(gains, table.bootstrap.confidence)
    if interval is None:
        return Hearsay(statement, paper, "not tested", f"one family: {signed(gains[0], 1)} points")
    ours = f"{_points(interval)}, mean of {plural(len(gains), 'family', 'families')}"
    return Hearsay(statement, paper, _status(interval, figure), ours)


def _better_nets(rivals: list[Rivals], confidence: float) -> Hearsay:
    statement = "Bayesian optimisation finds better nets than random search in as many trials."
    if not rivals:
        return Hearsay(statement, SILENT, "not tested", "needs searches with a random baseline")
    gains = [r.gain for r in rivals]
    interval = mean_interval(gains, confidence)
    if interval is None:
        ours = f"{_one(rivals[0])} {signed(gains[0])} points on the validation images"
        return Hearsay(statement, SILENT, "not tested", ours)
    ours = f"{_points(interval)} on the validation images, mean of {plural(len(gains), 'search', 'searches')}"
    return Hearsay(statement, SILENT, _status(interval), ours)


def _less_training(rivals: list[Rivals], confidence: float) -> Hearsay:
    """Ratios of costs are averaged by their logarithms: half as much here and twice there cancel."""
    statement = "Bayesian optimisation reduces the training time of convolutional nets by 35%."
    if not rivals:
        return Hearsay(
            statement, SILENT, "not tested", "needs searches of convolutional nets with a random baseline"
        )
    interval = mean_interval(np.log([r.cost for r in rivals]), confidence)
    until = "of the training FLOPs until the best validation error that both reached"
    if interval is None:
        searched, compared = rivals[0].trials_needed
        saved = percent(1 - rivals[0].cost, 0)
        ours = f"{_one(rivals[0])} saves {saved} {until}, at trials {searched} and {compared}"
        return Hearsay(statement, SILENT, "not tested", ours)
    saved = Interval(*(float(1 - np.exp(bound)) for bound in (interval.mean, interval.high, interval.low)))
    ours = (
        f"saves {percent(saved.mean, 0)} [{percent(saved.low, 0)}, {percent(saved.high, 0)}] {until}, "
        f"geometric mean of {plural(len(rivals), 'search', 'searches')}"
    )
    return Hearsay(statement, SILENT, _status(saved, 0.35), ours)


def _one(rivals: Rivals) -> str:
    return f"one search, no interval: {rivals.search.name}, {plural(rivals.trials, 'trial')},"


def _status(interval: Interval, figure: float | None = None) -> Status:
    contains = figure is None or interval.low <= figure <= interval.high
    return "holds" if interval.low > 0 and contains else "does not hold"


def _points(interval: Interval) -> str:
    return f"{signed(interval.mean)} points {signed_bounds(interval)}"


def _published_gains(families: tuple[str, ...]) -> list[float]:
    rows = [list(published.paper()["table_2"][family].values()) for family in families]
    return [(row[-1] - row[0]) / 100 for row in rows]


def _gains(table: Accuracies, families: tuple[str, ...]) -> list[float]:
    """The largest student's accuracy less the smallest's, of each family that has both."""
    ladders = [table.models("logits", (family,)) for family in families]
    return [table.mean(ladder[-1]) - table.mean(ladder[0]) for ladder in ladders if len(ladder) > 1]
