"""The recipe of a training: hyperparameters, and the whole task of one net."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field

from mimic.data.image_parameters import Augmentation, Hsv, Window
from mimic.nets.layers import Layers
from mimic.support.frozen import Decay, DropoutRate, Frozen, Momentum, Positive, Rate, option
from mimic.training.losses import Loss
from mimic.training.losses.cross_entropy import CrossEntropy
from mimic.training.optimisers import Optimiser
from mimic.training.optimisers.sgd import SGD
from mimic.training.schedules import Schedule

Precision = Literal["fp32", "bf16"]
Decayed = Literal["all", "matrices"]


class TeacherDropout(Frozen):
    """Dropout after each max-pooling and after each hidden layer."""

    conv1: DropoutRate = 0.2
    conv2: DropoutRate = 0.3
    conv3: DropoutRate = 0.37
    fc1: DropoutRate = 0.4
    fc2: DropoutRate = 0.4


class Teacher(Frozen):
    """One member of the pool of teachers: c2-mp-c2-mp-c4-mp-fc2 (paper, appendix)."""

    filters: tuple[Positive, Positive, Positive]
    """of the layers before the first, second and third pooling"""
    hidden: Positive
    """units of each hidden layer"""
    learning_rate: Rate
    momentum: Momentum
    weight_decay: Decay
    decayed: Decayed = option("all")
    """matrices: weight decay spares biases and the norms' scales and shifts"""
    optimiser: Optimiser = option(SGD())
    init_scale: Annotated[float, Field(gt=0, le=10)] = 1.0
    """factor on the initial weights"""
    dropout: TeacherDropout = TeacherDropout()
    hsv: Hsv | None = None
    """null: the study's own"""
    window: Window | None = option(None)
    """null: the study's own"""
    initial: Literal["glorot", "dirac"] = option("glorot")
    """weights; dirac: the first filters of a convolution pass its input on (Zagoruyko and Komodakis 2017)"""
    seed: Annotated[int, Field(ge=0)] = 1


class StudentDropout(Frozen):
    """Dropout after each max-pooling and after the hidden layer."""

    conv1: DropoutRate = 0.0
    conv2: DropoutRate = 0.0
    conv3: DropoutRate = 0.0
    fc1: DropoutRate = 0.0


class Student(Frozen):
    """The hyperparameters of one family at one budget. The width that is not given is solved."""

    learning_rate: Rate
    momentum: Momentum
    weight_decay: Decay = 0.0
    decayed: Decayed = option("all")
    """matrices: weight decay spares biases"""
    optimiser: Optimiser = option(SGD())
    schedule: Schedule | None = option(None)
    """null: that of all students of the arm"""
    input_scale: Annotated[float, Field(gt=0, le=100)] = 1.0
    """factor on the standardised images"""
    init_scale: Annotated[float, Field(gt=0, le=100)] = 1.0
    """factor on the initial weights"""
    dropout: StudentDropout = StudentDropout()
    widths: dict[str, Annotated[float, Field(gt=0)]]
    """filters, units; mlp2 to mlp5: ratios, lfc among them"""


class TeacherTask(Frozen):
    """Train one teacher on hard labels."""

    seed: int
    precision: Precision
    augmentation: Augmentation
    batch_size: int
    schedule: Schedule
    loss: Loss = CrossEntropy()
    teacher: Teacher
    net: Layers


class StudentTask(Frozen):
    """Train one student on the transfer set's logits, or on hard labels."""

    seed: int
    precision: Precision
    augmentation: Augmentation
    transfer_epochs: int
    batch_size: int
    schedule: Schedule
    loss: Loss
    family: str
    budget: str
    arm: Literal["logits", "labels", "dropout", "weight_decay"]
    repetition: int
    student: Student
    net: Layers
    """solved: what the widths and the budget come to"""


ModelTask = TeacherTask | StudentTask


def task_of(record: dict[str, Any]) -> ModelTask:
    """The task that a model's record.json holds."""
    kind = TeacherTask if record["kind"] == "teacher" else StudentTask
    return kind.model_validate_json(json.dumps(record["hyperparameters"]))


def hyperparameters(task: ModelTask) -> Teacher | Student:
    """Those of the net that a task trains."""
    return task.teacher if isinstance(task, TeacherTask) else task.student
