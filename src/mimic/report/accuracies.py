"""Who got which test image right: the table that tables, figures and claims are read from."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

import numpy as np

from mimic.config.parameters import budget_parameters
from mimic.evaluation.bootstrap import Interval, accuracy_interval, difference_interval
from mimic.nets.families import STUDENTS
from mimic.report.student_families import rank


class Model(NamedTuple):
    """A model up to its seed."""

    family: str
    budget: str = ""
    arm: str = ""

    @property
    def name(self) -> str:
        return "-".join(part for part in self if part)


ENSEMBLE = Model("ensemble")
TEACHER = Model("teacher")  # the single teacher with the best validation accuracy


@dataclass(frozen=True)
class Cell:
    """One model's outcomes on the test images."""

    correct_SN: np.ndarray  # bool: [seeds that finished, test images]
    validation_accuracy: float = float("nan")  # mean over those seeds
    diverged: int = 0  # seeds that did not finish

    @property
    def seeds(self) -> int:
        return len(self.correct_SN)


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are computed."""

    resamples: int = 2000
    confidence: float = 0.95
    seed: int = 1


class Accuracies:
    """Accuracies and their differences, with intervals. A model of which no seed finished has none."""

    def __init__(self, cells: Mapping[Model, Cell], bootstrap: Bootstrap) -> None:
        self.cells = dict(cells)
        self.bootstrap = bootstrap

    def __contains__(self, model: Model) -> bool:
        return model in self.cells and self.cells[model].seeds > 0

    def diverged(self, model: Model) -> bool:
        """Whether the model ran, and no seed of it finished."""
        return model in self.cells and self.cells[model].seeds == 0

    def mean(self, model: Model) -> float:
        return float(self.cells[model].correct_SN.mean())

    def best(self, models: Iterable[Model]) -> Model:
        """The one with the highest validation accuracy."""
        return max(models, key=lambda model: self.cells[model].validation_accuracy)

    @cached_property
    def intervals(self) -> dict[Model, Interval]:
        """The accuracy of every model that finished."""
        finished = {model: cell.correct_SN for model, cell in self.cells.items() if cell.seeds}
        return {
            m: accuracy_interval(correct_SN, **vars(self.bootstrap)) for m, correct_SN in finished.items()
        }

    def difference(self, better: Model, worse: Model) -> Interval:
        """The accuracy of one less that of the other, paired over the test images."""
        rows = (self.cells[model].correct_SN for model in (better, worse))
        return difference_interval(*rows, **vars(self.bootstrap))

    def gain_difference(self, first: tuple[Model, Model], second: tuple[Model, Model]) -> Interval:
        """How much more the first (better, worse) pair differs than the second does.

        Seeds of a pair are matched by their order, so that a gain is one row of -1, 0 and 1.
        """
        gains = []
        for pair in (first, second):
            seeds = min(self.cells[model].seeds for model in pair)
            better_SN, worse_SN = (self.cells[model].correct_SN[:seeds].astype(np.int8) for model in pair)
            gains.append(better_SN - worse_SN)
        return difference_interval(*gains, **vars(self.bootstrap))

    def models(self, arm: str, families: Container[str] = STUDENTS) -> list[Model]:
        """The finished students of one arm, by family, then by budget from the smallest."""
        found = [m for m in self.cells if m in self and m.arm == arm and m.family in families]
        return sorted(found, key=lambda model: (rank(model.family), budget_parameters(model.budget)))

    def ends(self, families: Container[str]) -> list[tuple[Model, Model]]:
        """The smallest and the largest finished student on logits, of each family that has both."""
        groups = [[*group] for _, group in groupby(self.models("logits", families), lambda m: m.family)]
        return [(group[0], group[-1]) for group in groups if len(group) > 1]

    def budgets(self, *arms: str) -> list[str]:
        """The budgets of some arms, else of logits, smallest first; their students may not have finished."""
        arms = arms or ("logits",)
        return sorted({m.budget for m in self.cells if m.arm in arms}, key=budget_parameters)
