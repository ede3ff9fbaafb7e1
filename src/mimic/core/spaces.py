"""What a search may choose from: typed ranges of hyperparameters, and how many trials it gets."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mimic.core.types import FAMILIES, Budget, Frozen, Positive, Schedule

Algorithm = Literal["gp", "tpe", "cmaes", "random"]
PoolLayer = Literal["conv1", "conv2", "conv3"]
DIGITS = 4  # significant ones of a value that is not whole, so that a reader can copy it (ours)


class Range(Frozen):
    """The bounds of one hyperparameter, both within."""

    low: Annotated[float, Field(ge=0)]
    high: Annotated[float, Field(gt=0)]
    log: bool = False  # evenly spread in the logarithm

    @model_validator(mode="after")
    def _ordered(self) -> "Range":
        if float(f"{self.low:.{DIGITS}g}") >= float(f"{self.high:.{DIGITS}g}"):
            raise ValueError(
                f"low must be below high, in their first {DIGITS} digits, not {self.low} and {self.high}"
            )
        if self.log and self.low <= 0:
            raise ValueError("a logarithmic range must begin above 0")
        return self


class TeacherSpace(Frozen):
    """What is searched of a teacher (paper, appendix); what is not given keeps its default."""

    learning_rate: Range | None = None
    momentum: Range | None = None
    weight_decay: Range | None = None
    init_scale: Range | None = None
    filters: dict[Literal["group1", "group2", "group3"], Range] = {}
    hidden: Range | None = None
    dropout: dict[PoolLayer | Literal["fc1", "fc2"], Range] = {}
    hsv: dict[Literal["Dh", "Ds", "Dv", "As", "Av"], Range] = {}


class StudentSpace(Frozen):
    """What is searched of a family at a budget (Table 3); what is not given keeps its default."""

    learning_rate: Range | None = None
    momentum: Range | None = None
    weight_decay: Range | None = None
    input_scale: Range | None = None
    init_scale: Range | None = None
    dropout: dict[PoolLayer | Literal["fc1"], Range] = {}
    widths: dict[str, Range] = {}  # of the widths that are given; the dependent one is solved


Space = TeacherSpace | StudentSpace


class Effort(Frozen):
    """How long a search lasts."""

    trials: Annotated[int, Field(ge=1, le=9999)]  # in all; raised, only the new ones run
    at_once: Annotated[int, Field(ge=1, le=99)]  # of a round: proposed together, trained side by side
    schedule: Schedule | None = None  # of a trial; null: that of the models searched


class TeacherSearch(Effort):
    """Trials are teachers like any other: the ensemble is chosen among them and teachers.members."""

    space: TeacherSpace


class StudentSearch(Effort):
    """A search for each family and budget listed; its winner takes the place of the variant's values."""

    spaces: dict[Literal[FAMILIES], Annotated[dict[Budget, StudentSpace], Field(min_length=1)]]


class MedianRule(Frozen):
    """A trial ends at one of `epochs` if it is worse there than the median of the earlier rounds' trials."""

    epochs: Annotated[tuple[Positive, ...], Field(min_length=1)]


class Search(Frozen):
    """Searches in rounds: proposals by one algorithm, each aware of the points still in training."""

    algorithm: Algorithm = "gp"
    baseline: Algorithm | None = None  # the same number of trials by another algorithm, to compare
    stopping: MedianRule | None = None  # null: every trial runs to its end
    averaged: Annotated[int, Field(ge=1, le=100)] = 5  # best models of a search in Figure 1's mean
    teachers: TeacherSearch | None = None
    students: StudentSearch | None = None
    hard_label_twins: StudentSearch | None = None
    regularised_twins: StudentSearch | None = None

    @model_validator(mode="after")
    def _different(self) -> "Search":
        if self.baseline == self.algorithm:
            raise ValueError(f"baseline must be another algorithm than {self.algorithm}, or null")
        return self
