"""Points of a search: flat dicts such as {"learning_rate": 0.002, "widths.c1": 40}, and what they make.

A point names what the search chooses; everything else stays as in the default, a teacher or student of
params.yaml. `widths` of mlp2 to mlp5 are ratios; those of other families, `filters` and `hidden` are whole.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import exp, log
from operator import getitem

from mimic.data.image_parameters import CHANNELS, Hsv
from mimic.nets.budget import solve
from mimic.nets.layers import Layers
from mimic.search.spaces import DIGITS, Goal, ProposalTask, Range, SelectionTask, Space
from mimic.training.recipe import Student, Teacher, hyperparameters

Point = dict[str, float]
FILTERS = ("group1", "group2", "group3")  # names of Teacher.filters


@dataclass(frozen=True)
class Dimension:
    """One hyperparameter: its bounds, both within, and how values are spread between them."""

    name: str
    low: float
    high: float
    log: bool = False
    integer: bool = False

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def from_unit(self, share: float) -> float:
        """The value at `share` of the range, 0 to 1; each whole number has its part around it."""
        low, high = self._edges
        value = low + share * (high - low)
        return self.rounded(exp(value) if self.log else value)

    def rounded(self, value: float) -> float:
        """A value as it is written and trained: whole or of few digits, and within the bounds."""
        value = round(value) if self.integer else float(f"{value:.{DIGITS}g}")
        return min(max(value, self.low), self.high)

    def to_unit(self, value: float) -> float:
        """Where `value` lies in the range, 0 to 1: the inverse of `from_unit` but for the rounding."""
        low, high = self._edges
        return ((log(value) if self.log else value) - low) / (high - low)

    @property
    def _edges(self) -> tuple[float, float]:
        half = 0.5 if self.integer else 0.0
        low, high = self.low - half, self.high + half
        return (log(low), log(high)) if self.log else (low, high)


def dimensions(space: Space, ratios: bool) -> tuple[Dimension, ...]:
    """What `space` leaves open, in the order of its fields; `ratios` says that its widths are some."""
    found = []
    for name, given in ranges(space):
        group = name.partition(".")[0]
        whole = group in ("filters", "hidden") or (group == "widths" and not ratios)
        number = int if whole else float
        found.append(Dimension(name, number(given.low), number(given.high), given.log, whole))
    return tuple(found)


def ranges(space: Space) -> Iterator[tuple[str, Range]]:
    """The ranges that a space gives, by dotted name."""
    for field in type(space).model_fields:
        match getattr(space, field):
            case Range() as given:
                yield field, given
            case dict() as group:
                yield from ((f"{field}.{name}", given) for name, given in group.items())


def net_of(goal: Goal, model: Teacher | Student) -> Layers:
    """The net of some hyperparameters. Raises MimicError when their widths can't meet the budget."""
    if isinstance(model, Teacher):
        widths = dict(zip(FILTERS, model.filters, strict=True)) | {"hidden": model.hidden}
    else:
        widths = model.widths
    rates = model.dropout.model_dump()
    return solve(goal.family, goal.parameters, widths, goal.classes, CHANNELS, goal.image_size, rates)


def complete(default: Teacher | Student, hsv: Hsv) -> Teacher | Student:
    """`default`; a teacher without colours of its own has the study's, `hsv`."""
    if isinstance(default, Teacher) and default.hsv is None:
        return default.model_copy(update={"hsv": hsv})
    return default


def default_of(task: ProposalTask | SelectionTask) -> Teacher | Student:
    """The complete default from which a search departs."""
    return complete(hyperparameters(task.default), task.default.augmentation.hsv)


def dimensions_of(task: ProposalTask | SelectionTask) -> tuple[Dimension, ...]:
    """The dimensions of the search that a task belongs to."""
    return dimensions(task.space, task.goal.family.widths == "ratios")


def default_point(dimensions: Sequence[Dimension], default: Teacher | Student) -> Point:
    """The point that a complete default is. It may lie outside the ranges."""
    content = _content(default)
    values = {d: reduce(getitem, d.name.split("."), content) for d in dimensions}
    return {d.name: int(value) if d.integer else float(value) for d, value in values.items()}


def apply_point(default: Teacher | Student, point: Mapping[str, float]) -> Teacher | Student:
    """A complete default with the values of `point`. Raises pydantic.ValidationError for illegal ones."""
    content = _content(default)
    for name, value in point.items():
        *group, key = name.split(".")
        reduce(getitem, group, content)[key] = value
    if isinstance(default, Teacher):
        content["filters"] = tuple(content["filters"].values())
    return type(default).model_validate(content)


def is_inside(dimensions: Sequence[Dimension], point: Mapping[str, float]) -> bool:
    """Whether every value lies in its range."""
    return all(point[dimension.name] in dimension for dimension in dimensions)


def _content(default: Teacher | Student) -> dict:
    """The model as nested dicts that a dotted name leads through."""
    content = default.model_dump()
    if isinstance(default, Teacher):
        content["filters"] = dict(zip(FILTERS, default.filters, strict=True))
    return content
