"""The recipe of a training: schedule, loss, hyperparameters, and the whole task of one net."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field

from mimic.data.image_parameters import Augmentation, Hsv
from mimic.nets.layers import Layers
from mimic.support.frozen import Decay, DropoutRate, Frozen, Momentum, Positive, Rate

Precision = Literal["fp32", "bf16"]


class OneCycle(Frozen):
    """A fixed budget: the learning rate rises linearly, then falls to zero along a cosine. Ours."""

    kind: Literal["one_cycle"] = "one_cycle"
    epochs: Positive
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """share of the steps that the rise takes"""


class Patience(Frozen):
    """The paper's schedule: the validation error decides when to halve the rate and when to stop."""

    kind: Literal["patience"] = "patience"
    patience: Positive = 10
    """epochs without a drop before the rate is halved"""
    cooldown: Annotated[int, Field(ge=0)] = 8
    """epochs after a cut without a further cut"""
    stop: Positive = 30
    """epochs without a drop before training ends"""
    max_cut: Annotated[float, Field(gt=1)] = 2000.0
    """training ends when the rate was cut by more than this"""
    max_epochs: Positive = 1000
    """a bound of ours"""


Schedule = Annotated[OneCycle | Patience, Field(discriminator="kind")]


class L2(Frozen):
    """Mean over samples of the squared L2 distance between logits (paper, section 2.1)."""

    kind: Literal["l2"] = "l2"


class CrossEntropy(Frozen):
    """Cross-entropy with hard labels."""

    kind: Literal["cross_entropy"] = "cross_entropy"


class KL(Frozen):
    """Kullback-Leibler divergence from the softened targets (Hinton et al. 2015), times T squared."""

    kind: Literal["kl"] = "kl"
    temperature: Annotated[float, Field(gt=0, le=100)] = 4.0


DistillationLoss = Annotated[L2 | KL, Field(discriminator="kind")]
Loss = Annotated[L2 | KL | CrossEntropy, Field(discriminator="kind")]


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
    init_scale: Annotated[float, Field(gt=0, le=10)] = 1.0
    """factor on the initial weights"""
    dropout: TeacherDropout = TeacherDropout()
    hsv: Hsv | None = None
    """null: the study's own"""
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
    arm: Literal["logits", "labels", "regularised"]
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
