"""Who got which test image right: the table that tables, figures and claims are read from."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

import numpy as np

from mimic.config.parameters import budget_parameters
from mimic.evaluation.intervals import Interval, contrast
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
TEACHERS = Model("teachers")  # the members of the ensemble, as if they were seeds of one model
Weights = Mapping[Model, float]


@dataclass(frozen=True)
class Cell:
    """One model's outcomes on the test images."""

    correct_SN: np.ndarray  # bool: [seeds that finished, test images]
    validation_accuracy: float = float("nan")  # mean over those seeds
    diverged: int = 0  # seeds that did not finish
    dead: int = 0  # seeds that finished at chance
    repetitions: tuple[int, ...] = ()  # which of the study's seeds these are; ours count from 1
    unconverged: int = 0  # seeds that were still learning when they ended
    trials: int = 0  # of the search that chose its hyperparameters; 0: they were given

    @property
    def seeds(self) -> int:
        return len(self.correct_SN)


class Accuracies:
    """Accuracies and their contrasts, with intervals. A model of which no seed finished has none."""

    def __init__(self, cells: Mapping[Model, Cell], confidence: float = 0.95) -> None:
        self.cells = dict(cells)
        self.confidence = confidence

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

    def worst(self, models: Iterable[Model]) -> Model:
        """The one with the lowest validation accuracy."""
        return min(models, key=lambda model: self.cells[model].validation_accuracy)

    @cached_property
    def intervals(self) -> dict[Model, Interval]:
        """The accuracy of every model that finished."""
        return {model: self.contrast({model: 1}) for model in self.cells if model in self}

    def contrast(self, weights: Weights) -> Interval:
        """A weighted sum of accuracies, paired over the test images; each model has seeds of its own."""
        terms = [(weight, self.cells[model].correct_SN) for model, weight in weights.items()]
        return contrast(terms, self.confidence)

    def difference(self, better: Model, worse: Model) -> Interval:
        """The accuracy of one less that of the other."""
        return self.contrast({better: 1, worse: -1})

    def mean_difference_by_seed(self, pairs: Sequence[tuple[Model, Model]]) -> Interval:
        """The mean over (better, worse) pairs, matched by repetition: twins begin from the same weights."""
        terms = []
        for pair in pairs:
            first, second = (self.cells[model] for model in pair)
            common = [seed for seed in first.repetitions if seed in second.repetitions]
            rows = [
                cell.correct_SN[[cell.repetitions.index(seed) for seed in common]].astype(np.int8)
                for cell in (first, second)
            ]
            terms.append((1 / len(pairs), rows[0] - rows[1]))
        return contrast(terms, self.confidence)

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
