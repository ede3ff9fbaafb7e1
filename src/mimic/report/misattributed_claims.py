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
from mimic.report.accuracies import Accuracies
from mimic.report.baselines import SearchComparison, mean_interval
from mimic.report.claims import Status
from mimic.report.numerals import percent, plural, signed, signed_bounds
from mimic.report.published import CONVS, MLPS

BAYESIAN = ("gp", "tpe")
SILENT = "measures no such thing"


@dataclass(frozen=True)
class MisattributedClaim:
    """One statement, what the paper has, and what this study finds."""

    statement: str
    paper: str
    status: Status
    ours: str


def misattributed_claims(
    table: Accuracies, comparisons: Sequence[SearchComparison]
) -> list[MisattributedClaim]:
    """The circulating statements beside the figures. `comparisons` are the searches that have a baseline."""
    found = [c for c in comparisons if c.search.algorithm in BAYESIAN and c.baseline.algorithm == "random"]
    convolutional = [c for c in found if c.search.model.family in (*CONVS, "teacher")]
    confidence = table.bootstrap.confidence
    return [
        MisattributedClaim(
            "Added capacity raises the accuracy of convolutional nets by 1.5 points.",
            _published_gains(CONVS),
            *_capacity(table, CONVS, 0.015),
        ),
        MisattributedClaim(
            "A larger model raises the accuracy of multi-layer perceptrons by 2.3 points.",
            _published_gains(MLPS),
            *_capacity(table, MLPS, 0.023),
        ),
        MisattributedClaim(
            "Bayesian optimisation finds better nets than random search in as many trials.",
            SILENT,
            *_better_nets(found, confidence),
        ),
        MisattributedClaim(
            "Bayesian optimisation reduces the training time of convolutional nets by 35%.",
            SILENT,
            *_less_training(convolutional, confidence, 0.35),
        ),
    ]


def _capacity(table: Accuracies, families: tuple[str, ...], figure: float) -> tuple[Status, str]:
    """What the largest student gains over the smallest, mean over families."""
    gains = [table.mean(largest) - table.mean(smallest) for smallest, largest in table.ends(families)]
    if not gains:
        return "not tested", "needs two budgets"
    interval = mean_interval(gains, table.bootstrap.confidence)
    if interval is None:
        return "not tested", f"one family: {signed(gains[0], 1)} points"
    families_found = plural(len(gains), "family", "families")
    return _status(interval, figure), f"{_points(interval)}, mean of {families_found}"


def _better_nets(comparisons: list[SearchComparison], confidence: float) -> tuple[Status, str]:
    if not comparisons:
        return "not tested", "needs searches with a random baseline"
    gains, images = [c.gain for c in comparisons], "on the validation images"
    interval = mean_interval(gains, confidence)
    if interval is None:
        return "not tested", f"{_one(comparisons[0])} {signed(gains[0])} points {images}"
    searches = plural(len(gains), "search", "searches")
    return _status(interval), f"{_points(interval)} {images}, mean of {searches}"


def _less_training(
    comparisons: list[SearchComparison], confidence: float, figure: float
) -> tuple[Status, str]:
    """Ratios of costs are averaged by their logarithms: half as much here and twice there cancel."""
    if not comparisons:
        return "not tested", "needs searches of convolutional nets with a random baseline"
    interval = mean_interval(np.log([c.cost for c in comparisons]), confidence)
    until = "of the training FLOPs until the best validation error that both reached"
    if interval is None:
        searched, compared = comparisons[0].trials_needed
        saved = percent(1 - comparisons[0].cost, 0)
        return (
            "not tested",
            f"{_one(comparisons[0])} saves {saved} {until}, at trials {searched} and {compared}",
        )
    saved = Interval(*(float(1 - np.exp(bound)) for bound in (interval.mean, interval.high, interval.low)))
    mean, low, high = (percent(share, 0) for share in (saved.mean, saved.low, saved.high))
    searches = plural(len(comparisons), "search", "searches")
    return _status(saved, figure), f"saves {mean} [{low}, {high}] {until}, geometric mean of {searches}"


def _one(comparison: SearchComparison) -> str:
    return f"one search, no interval: {comparison.search.name}, {plural(comparison.trials, 'trial')},"


def _status(interval: Interval, figure: float | None = None) -> Status:
    contains = figure is None or interval.low <= figure <= interval.high
    return "holds" if interval.low > 0 and contains else "does not hold"


def _points(interval: Interval) -> str:
    return f"{signed(interval.mean)} points {signed_bounds(interval)}"


def _published_gains(families: tuple[str, ...]) -> str:
    rows = [list(published.paper()["table_2"][family].values()) for family in families]
    gains = [(row[-1] - row[0]) / 100 for row in rows]
    return f"{signed(min(gains), 1)} to {signed(max(gains), 1)} points, from 1M to 31.6M parameters"
