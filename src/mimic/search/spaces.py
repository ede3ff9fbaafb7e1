"""What a search may choose from, and what is asked of its steps."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mimic.nets.family import Family
from mimic.search.samplers import Sampler
from mimic.support.frozen import Frozen, Positive, option
from mimic.training.recipe import StudentTask, TeacherTask

PoolLayer = Literal["conv1", "conv2", "conv3"]
DIGITS = 4  # significant ones of a value that is not whole, so that a reader can copy it (ours)


class Range(Frozen):
    """The bounds of one hyperparameter, both within."""

    low: Annotated[float, Field(ge=0)]
    high: Annotated[float, Field(gt=0)]
    log: bool = False
    """evenly spread in the logarithm"""

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
    optimiser: dict[str, Range] = option({})
    """the parameters of its own that the optimiser of the default has"""
    init_scale: Range | None = None
    filters: dict[Literal["group1", "group2", "group3"], Range] = {}
    hidden: Range | None = None
    dropout: dict[Literal[PoolLayer, "fc1", "fc2"], Range] = {}
    hsv: dict[Literal["Dh", "Ds", "Dv", "As", "Av"], Range] = {}


class StudentSpace(Frozen):
    """What is searched of a family at a budget (Table 3); what is not given keeps its default."""

    learning_rate: Range | None = None
    momentum: Range | None = None
    weight_decay: Range | None = None
    optimiser: dict[str, Range] = option({})
    """the parameters of its own that the optimiser of the default has"""
    input_scale: Range | None = None
    init_scale: Range | None = None
    dropout: dict[Literal[PoolLayer, "fc1"], Range] = {}
    widths: dict[str, Range] = {}
    """of the widths that are given; the dependent one is solved"""


Space = TeacherSpace | StudentSpace


class MedianRule(Frozen):
    """A trial ends at one of `epochs` if it is worse there than the median of the earlier rounds' trials."""

    epochs: Annotated[tuple[Positive, ...], Field(min_length=1)]


class Goal(Frozen):
    """What a searched student's widths must come to."""

    family: Family
    parameters: int
    """the budget"""
    classes: int
    image_size: int


class ProposalTask(Frozen):
    """Propose the points of one round of a search."""

    algorithm: Sampler
    stopping: MedianRule | None
    space: Space
    default: TeacherTask | StudentTask
    """a trial's task but for the hyperparameters searched"""
    goal: Goal
    round: int
    """from 1"""
    points: int


class TrialTask(Frozen):
    """Train one point of a proposal."""

    index: int
    """among the points, from 1"""
    number: int
    """among all trials of the search, from 1"""
    default: TeacherTask | StudentTask


class SelectionTask(Frozen):
    """Rank the trials of a search by validation error."""

    averaged: int
    """models kept for Figure 1"""
    algorithm: Sampler
    space: Space
    default: TeacherTask | StudentTask
    goal: Goal
