"""What each step is asked to do, besides the files that it reads: the parameters in a job's key.

A task holds every parameter that its results depend on and no other, so that a change reruns what
depends on it and nothing else.
"""

from typing import Literal

from mimic.core.parameters import (
    Augmentation,
    Data,
    Ensemble,
    Evaluation,
    Loss,
    Parameters,
    Student,
    Teacher,
)
from mimic.core.spaces import Algorithm, MedianRule, Space
from mimic.core.types import FAMILIES, Budget, Frozen, Schedule

Precision = Literal["fp32", "bf16"]


class DataTask(Frozen):
    """Read a source, split it, pack it."""

    seed: int
    data: Data


class TeacherTask(Frozen):
    """Train one teacher on hard labels."""

    seed: int
    precision: Precision
    augmentation: Augmentation
    batch_size: int
    batch_normalisation: bool
    schedule: Schedule
    teacher: Teacher


class EnsembleTask(Frozen):
    """Select the members of the ensemble on validation data."""

    ensemble: Ensemble


class LogitsTask(Frozen):
    """The ensemble's logits on a block of epochs of the transfer set."""

    seed: int
    precision: Precision
    augmentation: Augmentation
    dtype: Literal["float16", "float32"]
    first_epoch: int
    epochs: int


class StudentTask(Frozen):
    """Train one student on the transfer set's logits, or on hard labels."""

    seed: int
    precision: Precision
    augmentation: Augmentation
    transfer_epochs: int
    batch_size: int
    schedule: Schedule
    loss: Loss
    family: Literal[FAMILIES]
    budget: Budget
    arm: Literal["logits", "labels", "regularised"]
    repetition: int
    student: Student


class ProposalTask(Frozen):
    """Propose the points of one round of a search."""

    algorithm: Algorithm
    stopping: MedianRule | None
    space: Space
    default: TeacherTask | StudentTask  # a trial's task but for the hyperparameters searched
    round: int  # from 1
    points: int
    classes: int
    image_size: int


class TrialTask(Frozen):
    """Train one point of a proposal."""

    index: int  # among the points, from 1
    number: int  # among all trials of the search, from 1
    default: TeacherTask | StudentTask


class SelectionTask(Frozen):
    """Rank the trials of a search by validation error."""

    averaged: int  # models kept for Figure 1
    algorithm: Algorithm
    space: Space
    default: TeacherTask | StudentTask
    classes: int


class EvaluationTask(Frozen):
    """Measure every model on the test images."""

    seed: int
    precision: Precision
    evaluation: Evaluation


class ReportTask(Frozen):
    """Write the report."""

    parameters: Parameters


TASKS: dict[str, type[Frozen]] = {
    "data": DataTask,
    "teacher": TeacherTask,
    "ensemble": EnsembleTask,
    "logits": LogitsTask,
    "proposal": ProposalTask,
    "trial": TrialTask,
    "selection": SelectionTask,
    "student": StudentTask,
    "evaluation": EvaluationTask,
    "report": ReportTask,
}
Task = Frozen  # one of these
