"""The typed contents of params.yaml. Every key is explicit; a wrong one is refused before any job starts.

A choice that the paper does not make is called ours.
"""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, model_validator

from mimic.data.image_parameters import Augmentation, Data
from mimic.distill.distillation import Ensemble
from mimic.evaluation.protocol import Evaluation
from mimic.nets.families import FAMILIES, teacher
from mimic.nets.family import Family
from mimic.search.samplers import Sampler
from mimic.search.samplers.gp import GP
from mimic.search.spaces import MedianRule, StudentSpace, TeacherSpace
from mimic.support.frozen import Frozen, Name, Positive, option
from mimic.training.losses import DistillationLoss
from mimic.training.losses.cross_entropy import CrossEntropy
from mimic.training.losses.l2 import L2
from mimic.training.recipe import Student, Teacher
from mimic.training.schedules import Schedule

Budget = Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6})?[kM]$")]
BatchSize = Annotated[int, Field(ge=1, le=65_536)]
Seeds = Annotated[int, Field(ge=1, le=1000)]
RESERVED = ("ensemble", "searches", "teachers")  # names of folders and rows beside those of the teachers


def budget_parameters(budget: str) -> int:
    """The number of parameters that a budget such as `3.16M` or `100k` names."""
    return round(float(budget[:-1]) * {"k": 1e3, "M": 1e6}[budget[-1]])


def in_proportion(pixels: Iterable[int], before: int, after: int) -> list[int]:
    """Lengths in images of `before` pixels a side as they are in images of `after`."""
    return sorted({max(1, round(length * after / before)) for length in pixels})


class Teachers(Frozen):
    """The pool of teachers, trained on hard labels."""

    batch_size: BatchSize = 128
    """silent in the paper"""
    batch_normalisation: bool = False
    """not the paper's; for fast studies"""
    pooling: Literal["last", "first"] = option("last")
    """first: after the first convolution of a group, whose others have a quarter of the work (ours)"""
    whitening: bool = option(False)
    """a layer before all others that is not learnt and decorrelates patches of 2x2 pixels (ours)"""
    loss: CrossEntropy = option(CrossEntropy())
    schedule: Schedule
    members: Annotated[dict[Name, Teacher], Field(min_length=1)]

    @property
    def architecture(self) -> Family:
        """The layers that all have, up to their widths."""
        return teacher(self.batch_normalisation, self.pooling == "first", self.whitening)

    @model_validator(mode="after")
    def _named(self) -> "Teachers":
        seen = {name: f"no teacher can be called {name}" for name in RESERVED}
        for name in self.members:  # some file systems take both for one folder
            if other := seen.get(name.lower()):
                raise ValueError(f"members.{name}: {other}; give it another name")
            seen[name.lower()] = f"differs from {name} in capitals alone"
        return self


class Transfer(Frozen):
    """The transfer set: augmented epochs of the training images with the ensemble's mean logits."""

    epochs: Positive = 160
    """trainings that last longer begin again with the first"""
    epochs_per_shard: Positive = 10
    """of one file of logits, made by one job"""
    dtype: Literal["float16", "float32"] = "float16"
    """of the logits on disk"""


Variants = dict[Literal[FAMILIES], Annotated[dict[Budget, Student], Field(min_length=1)]]


class Students(Frozen):
    """Students that mimic the ensemble's logits."""

    batch_size: BatchSize = 128
    """silent in the paper"""
    seeds: Seeds = 1
    """repetitions of each variant"""
    schedule: Schedule
    loss: DistillationLoss = L2()
    variants: Annotated[Variants, Field(min_length=1)]


class HardLabelTwins(Frozen):
    """The same nets on 0/1 labels, regularised (Table 1)."""

    batch_size: BatchSize = 128
    seeds: Seeds = 1
    schedule: Schedule
    variants: Variants = {}


class RegularisedTwins(Frozen):
    """The same nets on logits, with dropout, or with weight decay: tests of the paper's eighth claim."""

    batch_size: BatchSize = 128
    seeds: Seeds = 1
    schedule: Schedule
    loss: DistillationLoss = L2()
    variants: Variants = {}


GROUPS = {  # by arm
    "logits": "students",
    "labels": "hard_label_twins",
    "dropout": "dropout_twins",
    "weight_decay": "weight_decay_twins",
}
StudentGroup = Students | HardLabelTwins | RegularisedTwins


class Effort(Frozen):
    """How long a search lasts."""

    trials: Annotated[int, Field(ge=1, le=9999)]
    """in all; raised, only the new ones run"""
    at_once: Annotated[int, Field(ge=1, le=99)]
    """of a round: proposed together, trained side by side"""
    schedule: Schedule | None = None
    """of a trial; null: that of the models searched"""


class TeacherSearch(Effort):
    """Trials are teachers like any other: the ensemble is chosen among them and teachers.members."""

    space: TeacherSpace


class StudentSearch(Effort):
    """A search for each family and budget listed; its winner takes the place of the variant's values."""

    spaces: dict[Literal[FAMILIES], Annotated[dict[Budget, StudentSpace], Field(min_length=1)]]


class Search(Frozen):
    """Searches in rounds: proposals by one algorithm, each aware of the points still in training."""

    algorithm: Sampler = GP()
    baseline: Sampler | None = None
    """the same number of trials by another algorithm, to compare"""
    stopping: MedianRule | None = None
    """null: every trial runs to its end"""
    averaged: Annotated[int, Field(ge=1, le=100)] = 5
    """best models of a search in Figure 1's mean"""
    teachers: TeacherSearch | None = None
    students: StudentSearch | None = None
    hard_label_twins: StudentSearch | None = None
    dropout_twins: StudentSearch | None = None
    weight_decay_twins: StudentSearch | None = None

    @model_validator(mode="after")
    def _different(self) -> "Search":
        if self.baseline and self.baseline.kind == self.algorithm.kind:
            raise ValueError(f"baseline must be another algorithm than {self.algorithm.kind}, or null")
        return self


class Report(Frozen):
    """What the report computes."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95


class Parameters(Frozen):
    """A whole study. A key that dvc.yaml names has no default: DVC fails where one is absent."""

    study: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=40)]
    """everything lies under `results/<study>/`"""
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    """of splits, images, weights and all else that is drawn"""
    precision: Literal["fp32", "bf16"]
    """of matrix products and convolutions; bf16 where the hardware multiplies it; weights are fp32"""
    data: Data
    augmentation: Augmentation
    teachers: Teachers
    ensemble: Ensemble
    transfer: Transfer
    students: Students
    hard_label_twins: HardLabelTwins
    dropout_twins: RegularisedTwins
    weight_decay_twins: RegularisedTwins
    search: Search
    evaluation: Evaluation
    report: Report
    cohort: Annotated[int, Field(ge=1, le=256)] = 1
    """students or trials that a job trains on one stream"""

    @property
    def groups(self) -> dict[str, StudentGroup]:
        """The groups of students by arm."""
        return {arm: getattr(self, group) for arm, group in GROUPS.items()}

    @property
    def searches(self) -> dict[str, StudentSearch | None]:
        """The searches for students by arm."""
        return {arm: getattr(self.search, group) for arm, group in GROUPS.items()}

    @model_validator(mode="after")
    def _consistent(self) -> "Parameters":
        candidates = len(self.teachers.members) + (self.search.teachers.trials if self.search.teachers else 0)
        if self.ensemble.size > candidates:
            raise ValueError(
                f"ensemble.size: {self.ensemble.size} members can not be chosen from "
                f"{candidates} teachers; lower it or add teachers.members"
            )
        for arm, group in self.groups.items():
            for family, budgets in self.searches[arm].spaces.items() if self.searches[arm] else ():
                for budget in budgets:
                    if budget not in group.variants.get(family, {}):
                        place = f"{GROUPS[arm]}.variants.{family}.{budget}"
                        raise ValueError(f"search.{GROUPS[arm]}: {place}, its default, is missing")
        for name, wrong in (("dropout_twins", "weight_decay"), ("weight_decay_twins", "dropout")):
            for family, budgets in getattr(self, name).variants.items():
                for budget, net in budgets.items():
                    if net.weight_decay if wrong == "weight_decay" else any(vars(net.dropout).values()):
                        raise ValueError(
                            f"{name}.variants.{family}.{budget}.{wrong}: must be left out, since these twins "
                            "are to differ from their students in one thing alone"
                        )
        size, most = self.data.image_size, self.augmentation.window[1]
        if not size / 2 < most <= size:
            what = "do not fit into" if most > size else "show a quarter at most of"
            raise ValueError(
                f"augmentation.window: {most} pixels {what} data.image_size {size}; "
                f"[{size * 3 // 4}, {size}] would be three quarters to all of it, as in the paper"
            )
        if max(self.evaluation.translations, default=0) >= self.data.image_size:
            raise ValueError(
                f"evaluation.translations: {max(self.evaluation.translations)} pixels move the whole image "
                f"out of data.image_size {self.data.image_size}; up to {self.data.image_size // 8} would do"
            )
        return self
