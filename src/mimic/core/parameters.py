"""The typed contents of params.yaml. Every key is explicit; a wrong one is refused before any job starts.

Numbers given in brackets in a field's description are its bounds. A choice that the paper does not
make is called ours.
"""

import re
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mimic.core.errors import MimicError

FAMILIES = ("mlp1", "mlp2", "mlp3", "mlp4", "mlp5", "conv1", "conv2", "conv3", "conv4")

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.]*$", max_length=60)]
Budget = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?[kM]$")]
Fraction = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, le=10)]
DropoutRate = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[int, Field(ge=1)]
Momentum = Annotated[float, Field(ge=0, lt=1)]


def budget_parameters(budget: str) -> int:
    """The number of parameters that a budget such as `3.16M` or `100k` names."""
    return round(float(budget[:-1]) * {"k": 1e3, "M": 1e6}[budget[-1]])


class Frozen(BaseModel):
    """A group of parameters: unknown keys are errors, nothing is converted, nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


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


class OneCycle(Frozen):
    """A fixed budget: the learning rate rises linearly, then falls to zero along a cosine. Ours."""

    kind: Literal["one_cycle"] = "one_cycle"
    epochs: Positive
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.2  # share of the steps that the rise takes


class Patience(Frozen):
    """The paper's schedule: the validation error decides when to halve the rate and when to stop."""

    kind: Literal["patience"] = "patience"
    patience: Positive = 10  # epochs without a drop before the rate is halved
    cooldown: Annotated[int, Field(ge=0)] = 8  # epochs after a cut without a further cut
    stop: Positive = 30  # epochs without a drop before training ends
    max_cut: Annotated[float, Field(gt=1)] = 2000.0  # training ends when the rate was cut by more than this
    max_epochs: Positive = 1000  # a bound of ours


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
    evaluation: Evaluation = Evaluation()
    report: Report = Report()

    @model_validator(mode="after")
    def _consistent(self) -> "Parameters":
        if self.ensemble.size > len(self.teachers.members):
            raise ValueError(
                f"ensemble.size: {self.ensemble.size} members can not be chosen from "
                f"{len(self.teachers.members)} teachers; lower it or add teachers.members"
            )
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


class _UniqueKeyLoader(yaml.SafeLoader):
    """Safe YAML in which a key given twice is an error, not a silent overwrite."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict:
    seen = set()
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.MarkedYAMLError(
                problem=f"key {key!r} is given twice", problem_mark=key_node.start_mark
            )
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path) -> object:
    """The content of a YAML file. Raises MimicError naming file and line when it can not be read."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MimicError(f"{path}: no such file; copy one from presets/") from None
    except (OSError, UnicodeDecodeError) as error:
        raise MimicError(f"{path}: can not be read: {error}") from None
    try:
        return _UniqueKeyLoader(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise MimicError(f"{path}{line}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise MimicError(f"{path}: not valid YAML: {error}") from None


_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")


def _explain(error: dict) -> str:
    """One pydantic error as `key: what is wrong, what would be right`."""
    tags = {"one_cycle", "patience", "l2", "kl", "cross_entropy"}
    place = [str(part) for part in error["loc"] if part not in tags and part != "[key]"]
    key, value, kind = ".".join(place), error.get("input"), error["type"]
    prefix = f"{key}: " if key else ""
    if kind == "extra_forbidden":
        return f"{prefix}unknown key; remove it or correct its spelling"
    if kind == "missing":
        return f"{prefix}missing; every key must be given"
    if kind == "value_error":
        return prefix + str(error["ctx"]["error"])
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        kinds = error["ctx"].get("expected_tags", "those that docs/parameters.md lists")
        return f"{prefix}kind must be one of {kinds}"
    if isinstance(value, str) and _EXPONENT.fullmatch(value):
        return f"{prefix}{value} is text to YAML; write {float(value)!r}, or 1.0e-3 with its point and sign"
    what = error["msg"].replace("Input should be", "must be").replace("String should", "must")
    shown = (
        repr(value) if isinstance(value, str | int | float | bool) or value is None else type(value).__name__
    )
    return f"{prefix}{what[0].lower()}{what[1:]}, not {shown}"


def check_parameters(content: object, origin: str | Path) -> Parameters:
    """The typed form of `content`. Raises MimicError with one line for the first thing wrong in it."""
    if not isinstance(content, dict):
        raise MimicError(f"{origin}: must hold keys and values, as presets/demo.yaml does")
    try:
        return Parameters.model_validate(_tuples(content))
    except ValidationError as error:
        errors = error.errors()
        # A misspelt key is the likelier cause of a missing one.
        first = min(errors, key=lambda e: e["type"] != "extra_forbidden")
        raise MimicError(f"{origin}: {_explain(first)}") from None


def _tuples(value: object) -> object:
    """YAML has lists where the types, which can not change, have tuples."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def read_parameters(path: Path) -> Parameters:
    """The study that a params.yaml describes. Raises MimicError with one line when it is wrong."""
    return check_parameters(read_yaml(path), path)
