"""A search beside its baseline: as many trials, proposed by another algorithm."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from mimic.evaluation.bootstrap import Interval
from mimic.report.search_results import SearchResult


@dataclass(frozen=True)
class SearchComparison:
    """A search and its baseline."""

    search: SearchResult
    baseline: SearchResult

    @property
    def trials(self) -> int:
        """The number at which the two are compared."""
        return min(len(self.search.trials), len(self.baseline.trials))

    @property
    def gain(self) -> float:
        """Validation accuracy of the search's best less that of the baseline's, after as many trials."""
        return float(self.baseline.best_so_far[self.trials - 1] - self.search.best_so_far[self.trials - 1])

    @property
    def target(self) -> float:
        """The lowest validation error that both reached."""
        return float(max(self.search.best_so_far[-1], self.baseline.best_so_far[-1]))

    @property
    def trials_needed(self) -> tuple[int, int]:
        """How many trials the search and the baseline took to reach the target."""
        return self.search.until(self.target), self.baseline.until(self.target)

    @property
    def cost(self) -> float:
        """Training FLOPs of the search until it reached the target, over those of the baseline.

        Both count until they first reach one common error: were the baseline charged for all its trials, a
        search no better than it would seem to save 1 - ln 2, almost a third.
        """
        searched, compared = self.trials_needed
        return self.search.flops_of(searched) / self.baseline.flops_of(compared)


def compare_searches(searches: Sequence[SearchResult]) -> list[SearchComparison]:
    """Each search that has a baseline, with it."""
    baselines = {search.searched: search for search in searches if search.is_baseline}
    return [
        SearchComparison(search, baselines[search.name])
        for search in searches
        if not search.is_baseline and search.name in baselines
    ]


def mean_interval(values: Sequence[float], confidence: float) -> Interval | None:
    """The mean of independent values with Student's t interval; None for fewer than two."""
    if len(values) < 2:
        return None
    mean = float(np.mean(values))
    error = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * stats.sem(values)
    return Interval(mean, mean - error, mean + error)
