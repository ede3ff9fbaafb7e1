"""The typed contents of params.yaml. Every key is explicit; a wrong one is refused before any job starts.

Numbers given in brackets in a field's description are its bounds. A choice that the paper does not
make is called ours.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mimic.core.spaces import Search, StudentSearch
from mimic.core.types import (
    FAMILIES,
    Budget,
    DropoutRate,
    Fraction,
    Frozen,
    Momentum,
    Name,
    Positive,
    Rate,
    Schedule,
)


class Data(Frozen):
    """The images and how they are split."""

    source: Literal["synthetic", "cifar10", "cifar100", "images"] = "synthetic"
    label: Annotated[str, Field(min_length=1, max_length=60)] = "synthetic"  # what the report calls it
    path: str | None = None  # folder, zip or tar (images); folder of the archives (cifar10, cifar100)
    download: bool = False  # cifar10, cifar100: fetch the archive into `path` if it is not there
    classes: Annotated[int, Field(ge=2, le=10_000)] = 10
    image_size: Annotated[int, Field(ge=8, le=256)] = 32  # pixels a side
    train: Positive | None = None  # images to train on; null: all but the validation images
    validation: Positive = 10_000  # images that select: models, epochs, learning rates
    test: Positive | None = None  # null: the source's whole test set

    @model_validator(mode="after")
    def _complete(self) -> "Data":
        if self.source == "synthetic" and (self.train is None or self.test is None):
            raise ValueError("source synthetic needs numbers for train and test, not null")
        if self.source != "synthetic" and self.path is None:
            raise ValueError(
                f"source {self.source} needs a path: the folder or archive that holds the images"
            )
        if self.source == "synthetic" and self.path is not None:
            raise ValueError("source synthetic reads no files: path must be null")
        if self.download and self.source not in ("cifar10", "cifar100"):
            raise ValueError(f"source {self.source} can not be downloaded: set download to false")
        expected = {"synthetic": 10, "cifar10": 10, "cifar100": 100}.get(self.source, self.classes)
        if self.classes != expected:
            raise ValueError(f"source {self.source} has {expected} classes, not {self.classes}")
        if self.source in ("cifar10", "cifar100") and (self.train or 1) + self.validation > 50_000:
            raise ValueError(f"train and validation together exceed the 50000 images that {self.source} has")
        if self.source in ("cifar10", "cifar100") and (self.test or 1) > 10_000:
            raise ValueError(f"test exceeds the 10000 images that {self.source} has")
        for split in ("train", "validation", "test"):
            number = getattr(self, split)
            if number is not None and number < self.classes:
                raise ValueError(
                    f"{split} must hold at least one image of each of the {self.classes} classes"
                )
        return self


class Hsv(Frozen):
    """Colour augmentation (paper, appendix): half-widths of the shifts, and extents of the scalings."""

    Dh: Annotated[float, Field(ge=0, le=0.5)] = 0.06  # hue shift, turns
    Ds: Fraction = 0.26  # saturation shift
    Dv: Fraction = 0.20  # value shift
    As: Annotated[float, Field(ge=0, le=4)] = 0.21  # saturation factor in (1/(1+As), 1+As)
    Av: Annotated[float, Field(ge=0, le=4)] = 0.13  # value factor in (1/(1+Av), 1+Av)


class Augmentation(Frozen):
    """Mirror, scale and jitter, colour: one draw for the whole image, fresh for each epoch."""

    mirror: Fraction = 0.5  # probability
    window: tuple[Annotated[int, Field(ge=2)], Annotated[int, Field(ge=2)]] = (
        24,
        32,
    )  # pixels, least and most
    hsv: Hsv = Hsv()

    @model_validator(mode="after")
    def _ordered(self) -> "Augmentation":
        if self.window[0] > self.window[1]:
            raise ValueError("window is [least, most] pixels: the first must not exceed the second")
        return self


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
    hidden: Positive
    learning_rate: Rate
    momentum: Momentum
    weight_decay: Annotated[float, Field(ge=0, le=1)]
    init_scale: Annotated[float, Field(gt=0, le=10)] = 1.0
    dropout: TeacherDropout = TeacherDropout()
    hsv: Hsv | None = None  # null: the study's own
    seed: Annotated[int, Field(ge=0)] = 1


class Teachers(Frozen):
    """The pool of teachers, trained on hard labels."""

    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 128  # silent in the paper
    batch_normalisation: bool = False  # not the paper's; for fast studies
    schedule: Schedule
    members: Annotated[dict[Name, Teacher], Field(min_length=1)]

    @model_validator(mode="after")
    def _named(self) -> "Teachers":
        if "searches" in self.members:  # a folder beside the members' own
            raise ValueError("members: no teacher can be called searches; give it another name")
        return self


class Ensemble(Frozen):
    """Greedy forward selection by validation accuracy."""

    size: Positive = 16  # members at most
    stop_without_gain: bool = False  # true: end when no candidate raises the validation accuracy


class Transfer(Frozen):
    """The transfer set: augmented epochs of the training images with the ensemble's mean logits."""

    epochs: Positive = 160
    epochs_per_shard: Positive = 10
    dtype: Literal["float16", "float32"] = "float16"


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
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    input_scale: Annotated[float, Field(gt=0, le=100)] = 1.0
    init_scale: Annotated[float, Field(gt=0, le=100)] = 1.0
    dropout: StudentDropout = StudentDropout()
    widths: dict[str, Annotated[float, Field(gt=0)]]  # filters, units; mlp2 to mlp5: ratios, lfc among them


Variants = dict[Literal[FAMILIES], Annotated[dict[Budget, Student], Field(min_length=1)]]


class Students(Frozen):
    """Students that mimic the ensemble's logits."""

    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 128  # silent in the paper
    seeds: Annotated[int, Field(ge=1, le=1000)] = 1  # repetitions of each variant
    schedule: Schedule
    loss: DistillationLoss = L2()
    variants: Annotated[Variants, Field(min_length=1)]


class HardLabelTwins(Frozen):
    """The same nets on 0/1 labels, regularised (Table 1)."""

    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 128
    seeds: Annotated[int, Field(ge=1, le=1000)] = 1
    schedule: Schedule
    variants: Variants = {}


class RegularisedTwins(Frozen):
    """The same nets on logits, with dropout or weight decay: the test of the paper's eighth claim."""

    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 128
    seeds: Annotated[int, Field(ge=1, le=1000)] = 1
    schedule: Schedule
    loss: DistillationLoss = L2()
    variants: Variants = {}


GROUPS = {"logits": "students", "labels": "hard_label_twins", "regularised": "regularised_twins"}  # by arm
StudentGroup = Students | HardLabelTwins | RegularisedTwins


class Evaluation(Frozen):
    """What is measured on the test images."""

    calibration_bins: Annotated[int, Field(ge=2, le=1000)] = 15
    translations: tuple[Positive, ...] = (1, 2, 4)  # pixels, in each of four directions


class Report(Frozen):
    """What the report computes."""

    bootstrap: Annotated[int, Field(ge=100, le=1_000_000)] = 2000  # resamples of the test set
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95


class Parameters(Frozen):
    """A whole study."""

    study: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=40)]  # results/<study>/
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    precision: Literal["fp32", "bf16"] = "bf16"  # of matrix products and convolutions; weights are fp32
    data: Data
    augmentation: Augmentation = Augmentation()
    teachers: Teachers
    ensemble: Ensemble
    transfer: Transfer
    students: Students
    hard_label_twins: HardLabelTwins
    regularised_twins: RegularisedTwins
    search: Search = Search()
    evaluation: Evaluation = Evaluation()
    report: Report = Report()
    cohort: Annotated[int, Field(ge=1, le=256)] = 1  # students or trials that a job trains on one stream

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
        if self.augmentation.window[1] > self.data.image_size:
            raise ValueError(
                f"augmentation.window: {self.augmentation.window[1]} pixels do not fit "
                f"into data.image_size {self.data.image_size}"
            )
        if max(self.evaluation.translations, default=0) >= self.data.image_size:
            raise ValueError(
                f"evaluation.translations: {max(self.evaluation.translations)} pixels move the whole image "
                f"out of data.image_size {self.data.image_size}"
            )
        return self
