"""Statements about the paper that circulate in a machine-written summary and are not in the paper.

Each is a figure, so it is tested by equivalence: *supported* when the whole interval of the mean, of these
families or over searches, lies within half a point of it (five for a share of time); *contradicted* when the
whole interval lies outside; else *undecided*. One without a figure is supported or contradicted by an
interval above or below zero. With fewer than two families or searches there is no interval: *not tested*.
The rules are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from mimic.evaluation.intervals import Interval, contrast
from mimic.report import published
from mimic.report.accuracies import Accuracies
from mimic.report.claims import Status
from mimic.report.numerals import percent, plural, signed, signed_bounds
from mimic.report.published import CONVS, MLPS
from mimic.report.search_results import SearchComparison
from mimic.support.parts import kind, parts_of

BAYESIAN = [kind(sampler) for sampler in parts_of("mimic.search.samplers") if sampler.is_bayesian]
SILENT = "measures no such thing"
ALIKE, ALIKE_SHARE = 0.005, 0.05  # how far from its figure a statement may be: accuracies, shares (ours)


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
    confidence = table.confidence
    return [
        MisattributedClaim(
            "Added capacity raises the accuracy of convolutional nets by 1.5 points.",
            *_capacity(table, CONVS, 0.015),
        ),
        MisattributedClaim(
            "A larger model raises the accuracy of multi-layer perceptrons by 2.3 points.",
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


def _capacity(table: Accuracies, families: tuple[str, ...], figure: float) -> tuple[str, Status, str]:
    """What the largest student gains over the smallest, mean over families: published, and ours."""
    rows = [list(published.paper()["table_2"][family].values()) for family in families]
    theirs = sorted((row[-1] - row[0]) / 100 for row in rows)
    paper = f"{signed(theirs[0], 1)} to {signed(theirs[-1], 1)} points, from 1M to 31.6M parameters"
    ends = table.ends(families)
    if len(ends) > 1:  # it speaks of these families: their mean, over images and seeds
        weights = {
            model: sign / len(ends) for pair in ends for model, sign in zip(pair, (-1, 1), strict=True)
        }
        interval = table.contrast(weights)
        of = plural(len(ends), "family", "families")
        return paper, _status(interval, figure), f"{_points(interval)}, mean of {of}"
    found = [
        f"one family: {signed(table.mean(large) - table.mean(small), 1)} points" for small, large in ends
    ]
    return paper, "not tested", found[0] if found else "needs two budgets"


def _better_nets(comparisons: list[SearchComparison], confidence: float) -> tuple[Status, str]:
    gains, images = [c.gain for c in comparisons], "on the validation images"
    if interval := mean_interval(gains, confidence):
        return _status(interval), f"{_points(interval)} {images}, mean of {len(gains)} searches"
    if comparisons:
        return "not tested", f"{_one(comparisons[0])} {signed(gains[0])} points {images}"
    return "not tested", "needs searches with a random baseline"


def _less_training(
    comparisons: list[SearchComparison], confidence: float, figure: float
) -> tuple[Status, str]:
    """Ratios of costs are averaged by their logarithms: half as much here and twice there cancel."""
    until = "of the training FLOPs until the best validation error that both reached"
    costs = [comparison.cost for comparison in comparisons]
    if interval := mean_interval(np.log(costs), confidence):
        mean, high, low = (1 - float(np.exp(x)) for x in (interval.mean, interval.low, interval.high))
        saved = f"saves {percent(mean, 0)} [{percent(low, 0)}, {percent(high, 0)}] {until}"
        of = f"geometric mean of {len(comparisons)} searches"
        return _status(Interval(mean, low, high), figure, ALIKE_SHARE), f"{saved}, {of}"
    if comparisons:
        saved, (searched, compared) = percent(1 - costs[0], 0), comparisons[0].trials_needed
        found = f"saves {saved} {until}, at trials {searched} and {compared}"
        return "not tested", f"{_one(comparisons[0])} {found}"
    return "not tested", "needs searches of convolutional nets with a random baseline"


def mean_interval(values: Sequence[float], confidence: float) -> Interval | None:
    """The mean of independent values with Student's t interval; None for fewer than two."""
    return contrast([(1, np.array([values]))], confidence) if len(values) > 1 else None


def _one(comparison: SearchComparison) -> str:
    return f"one search, no interval: {comparison.search.name}, {plural(comparison.trials, 'trial')},"


def _status(interval: Interval, figure: float | None = None, alike: float = ALIKE) -> Status:
    least, most = (0.0, inf) if figure is None else (figure - alike, figure + alike)
    if least < interval.low and interval.high < most:
        return "supported"
    return "contradicted" if interval.high < least or interval.low > most else "undecided"


def _points(interval: Interval) -> str:
    return f"{signed(interval.mean)} points {signed_bounds(interval)}"
