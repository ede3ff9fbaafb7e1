"""What a study's searches for hyperparameters found and cost, beside baselines of another algorithm."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from mimic.report.accuracies import Model

HOPELESS = "hopeless"  # the `stop` of a trial that the median rule ended


@dataclass(frozen=True)
class SearchResult:
    """One search: what was selected, and every trial in the order of their numbers.

    Errors are on the validation images, fractions of 1; a trial that diverged has that of chance.
    """

    name: str
    selection: dict  # selection.json
    trials: pd.DataFrame  # trials.csv, indexed by trial

    @property
    def algorithm(self) -> str:
        return self.selection["algorithm"]

    @property
    def averaged(self) -> list[str]:
        """The best trials by validation, the best first: five, or as many as the study averages."""
        return self.selection["averaged"]

    @property
    def space(self) -> dict[str, dict]:
        """`low`, `high` and `log` of each hyperparameter."""
        return self.selection["space"]

    @property
    def searched(self) -> str:
        """The search's name without the algorithm that a baseline has behind it."""
        return self.name.removesuffix(f"-{self.algorithm}")

    @property
    def is_baseline(self) -> bool:
        return self.searched != self.name

    @property
    def model(self) -> Model:
        """What was searched for; a teacher has neither budget nor arm."""
        return Model(*(self.selection[key] or "" for key in ("family", "budget", "arm")))

    @cached_property
    def best_so_far(self) -> np.ndarray:
        """The lowest error among the first 1, 2, ... trials."""
        return self.trials.validation_error.cummin().to_numpy()

    @property
    def best(self) -> pd.Series:
        return self.trials.loc[self.selection["best"]]

    @property
    def default(self) -> pd.Series:
        """The trial that had the hyperparameters of the parameters file."""
        return self.trials.loc[self.selection["default"]]

    @property
    def gain(self) -> float:
        """Accuracy of the best less that of the default."""
        return float(self.default.validation_error - self.best.validation_error)

    @property
    def diverged(self) -> int:
        return int((self.trials.status == "diverged").sum())

    @property
    def stopped_early(self) -> int:
        return int((self.trials.stop == HOPELESS).sum())

    @property
    def flops(self) -> float:
        """Of all trainings of the search."""
        return float(self.trials.training_flops.sum())

    @cached_property
    def saved(self) -> float | None:
        """The share of the trainings' FLOPs that stopping hopeless trials saved; None if it can't be told.

        Had they gone on, they would have trained as many epochs as the mean of those that ended by
        themselves: exact where the schedule fixes the epochs.
        """
        hopeless = self.trials[self.trials.stop == HOPELESS]
        whole = self.trials[(self.trials.stop != HOPELESS) & (self.trials.status == "finished")]
        if whole.empty:
            return None
        rest = (whole.epochs.mean() / hopeless.epochs - 1).clip(lower=0) * hopeless.training_flops
        return float(rest.sum() / (self.flops + rest.sum()))

    def until(self, error: float) -> int:
        """How many trials it took to reach an error that was reached."""
        return int(np.argmax(self.best_so_far <= error)) + 1


@dataclass(frozen=True)
class SearchComparison:
    """A search and its baseline: trials proposed by another algorithm."""

    search: SearchResult
    baseline: SearchResult

    @property
    def trials(self) -> int:
        """The number at which the two are compared."""
        return min(len(self.search.trials), len(self.baseline.trials))

    @property
    def gain(self) -> float:
        """Accuracy of the search's best less that of the baseline's, after as many trials."""
        return float(self.baseline.best_so_far[self.trials - 1] - self.search.best_so_far[self.trials - 1])

    @property
    def trials_needed(self) -> tuple[int, int]:
        """How many trials the search and the baseline took to the lowest error that both reached."""
        target = max(self.search.best_so_far[-1], self.baseline.best_so_far[-1])
        return self.search.until(target), self.baseline.until(target)

    @property
    def cost(self) -> float:
        """Training FLOPs of the search until it reached that error, over those of the baseline.

        Both count until they first reach one common error: were the baseline charged for all its trials, a
        search no better than it would seem to save 1 - ln 2, almost a third.
        """
        pairs = zip((self.search, self.baseline), self.trials_needed, strict=True)
        searched, compared = (found.trials.training_flops.iloc[:trials].sum() for found, trials in pairs)
        return float(searched / compared)


def compare_searches(searches: Sequence[SearchResult]) -> list[SearchComparison]:
    """Each search that has a baseline, with it."""
    baselines = {search.searched: search for search in searches if search.is_baseline}
    pairs = [(search, baselines.get(search.name)) for search in searches if not search.is_baseline]
    return [SearchComparison(search, baseline) for search, baseline in pairs if baseline]
