"""What a study's searches for hyperparameters found, and what they cost."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from mimic.report.accuracies import Model
from mimic.report.result_files import read_json, read_table

COLUMNS = {
    "trial", "round", "index", "status", "stop", "validation_error", "epochs", "seconds", "training_flops",
}  # fmt: skip
HOPELESS = "hopeless"  # the `stop` of a trial that the median rule ended


@dataclass(frozen=True)
class SearchResult:
    """One search: what was selected, and every trial in the order of their numbers."""

    name: str
    selection: dict  # selection.json
    trials: pd.DataFrame  # trials.csv, indexed by trial

    @property
    def algorithm(self) -> str:
        return self.selection["algorithm"]

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

    @property
    def averaged(self) -> list[str]:
        """The best trials by validation, the best first: five, or as many as the study averages."""
        return self.selection["averaged"]

    @property
    def space(self) -> dict[str, dict]:
        """`low`, `high` and `log` of each hyperparameter."""
        return self.selection["space"]

    @cached_property
    def errors(self) -> np.ndarray:
        """Validation error of each trial, a fraction; chance level where it diverged."""
        return self.trials.validation_error.to_numpy()

    @cached_property
    def best_so_far(self) -> np.ndarray:
        """The lowest validation error among the first 1, 2, ... trials."""
        return np.minimum.accumulate(self.errors)

    @property
    def best_error(self) -> float:
        return float(self.trials.validation_error[self.selection["best"]])

    @property
    def default_error(self) -> float:
        """The error of the trial that had the hyperparameters of the parameters file."""
        return float(self.trials.validation_error[self.selection["default"]])

    @property
    def default_diverged(self) -> bool:
        return self.trials.status[self.selection["default"]] == "diverged"

    @property
    def gain(self) -> float:
        """Validation accuracy of the best less that of the default."""
        return self.default_error - self.best_error

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

    @property
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

    def until(self, error: float) -> int | None:
        """How many trials it took to reach `error`; None if it was never reached."""
        reached = np.flatnonzero(self.errors <= error)
        return int(reached[0]) + 1 if len(reached) else None

    def flops_of(self, trials: int) -> float:
        """Of the trainings of the first `trials`."""
        return float(self.trials.training_flops.iloc[:trials].sum())


def read_search(folder: Path, name: str) -> SearchResult:
    """What the selection in `folder` says of the search `name`."""
    selection = read_json(folder / "selection.json")
    columns = COLUMNS | set(selection["space"])
    trials = read_table(folder / "trials.csv", columns, {"trial", "stop"}, "selection")
    return SearchResult(
        name, selection, trials.sort_values(["round", "index"]).set_index("trial", drop=False)
    )
