"""What must be right of a space before its first trial, and of a point before it is trained."""

from pydantic import ValidationError

from mimic.core.errors import MimicError
from mimic.core.parameters import Student, Teacher
from mimic.core.spaces import Space, StudentSpace, TeacherSpace
from mimic.core.types import budget_parameters
from mimic.nets.budget import solve
from mimic.nets.from_task import CHANNELS
from mimic.nets.students import REGISTRY
from mimic.search.points import Dimension, apply_point, dimensions, ranges


def misfit(student: Student, family: str, budget: str, classes: int, image_size: int) -> str | None:
    """Why a student can't be trained: its widths exceed the budget, or a dropout rate has no place."""
    size = budget_parameters(budget)
    try:
        solve(family, size, student.widths, classes, CHANNELS, image_size, student.dropout)
    except MimicError as error:
        return str(error)
    return None


def check_teacher_space(space: TeacherSpace, default: Teacher) -> None:
    """Raise MimicError, its key relative to the space's in params.yaml, when some point of it is illegal.

    `default` is complete: it has colours of its own.
    """
    _check_ranges(space, None)
    _check_values(dimensions(space, None), default)


def check_student_space(
    space: StudentSpace, default: Student, family: str, budget: str, classes: int, image_size: int
) -> None:
    """The same for a family's space at a budget. At least its narrowest net must meet the budget."""
    _check_names(space, family)
    _check_ranges(space, family)
    searched = dimensions(space, family)
    _check_values(searched, default)
    narrowest = {d.name: d.high if d.name.startswith("dropout.") else d.low for d in searched}
    if reason := misfit(apply_point(default, narrowest), family, budget, classes, image_size):
        raise MimicError(f"the narrowest net in these ranges can not be trained: {reason}")


def _check_names(space: StudentSpace, family: str) -> None:
    kind = REGISTRY[family]
    for name in space.widths:
        if name == kind.dependent:
            raise MimicError(f"widths.{name}: follows from the budget and can not be searched; remove it")
        if name not in kind.given:
            raise MimicError(f"widths.{name}: unknown; {family} has {', '.join(kind.given)}")


def _check_ranges(space: Space, family: str | None) -> None:
    named = dict(ranges(space))
    if not named:
        raise MimicError("nothing to search: give at least one range, or remove the search")
    for dimension in dimensions(space, family):
        given = named[dimension.name]
        is_width = dimension.name.startswith("widths.")
        if dimension.integer and (given.low < 1 or given.low % 1 or given.high % 1):
            raise MimicError(
                f"{dimension.name}: must have whole bounds from 1 up, not {given.low:g} and {given.high:g}"
            )
        if is_width and not dimension.integer and (given.low <= 0 or given.high > 1):
            raise MimicError(
                f"{dimension.name}: is a ratio with bounds above 0 and up to 1, "
                f"not {given.low:g} and {given.high:g}"
            )


def _check_values(searched: tuple[Dimension, ...], default: Teacher | Student) -> None:
    for dimension in searched:
        for bound, value in (("low", dimension.low), ("high", dimension.high)):
            try:
                apply_point(default, {dimension.name: value})
            except ValidationError as error:
                wrong = error.errors()[0]["msg"].removeprefix("Input ")
                raise MimicError(f"{dimension.name}.{bound}: {wrong}, not {value:g}") from None
