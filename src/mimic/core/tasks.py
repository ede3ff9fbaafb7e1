"""What each step is asked to do, besides the files that it reads: the parameters in a job's key.

A task holds every parameter that its results depend on and no other, so that a change reruns what
depends on it and nothing else.
"""

from typing import Annotated, Literal

from pydantic import Field

from mimic.core.parameters import (
    FAMILIES,
    Augmentation,
    Budget,
    CrossEntropy,
    Data,
    Ensemble,
    Evaluation,
    Frozen,
    Loss,
    Parameters,
    Schedule,
    Student,
    Teacher,
)

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


class EvaluationTask(Frozen):
    """Measure every model on the test images."""

    seed: int
    precision: Precision
    evaluation: Evaluation


class ReportTask(Frozen):
    """Write the report."""

    parameters: Parameters


Task = Annotated[
    DataTask | TeacherTask | EnsembleTask | LogitsTask | StudentTask | EvaluationTask | ReportTask, Field()
]
TASKS: dict[str, type[Frozen]] = {
    "data": DataTask,
    "teacher": TeacherTask,
    "ensemble": EnsembleTask,
    "logits": LogitsTask,
    "student": StudentTask,
    "evaluation": EvaluationTask,
    "report": ReportTask,
}
__all__ = ["TASKS", "CrossEntropy", *(task.__name__ for task in TASKS.values()), "Task"]
