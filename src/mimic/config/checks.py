"""What must be right of a study before its first job, besides the types: nets and searches fit."""

from pydantic import ValidationError

from mimic.config.goals import student_goal, student_net, teacher_goal
from mimic.config.parameters import GROUPS, Parameters
from mimic.search.points import Dimension, apply_point, complete, dimensions, net_of, ranges
from mimic.search.spaces import Goal, Space, StudentSpace
from mimic.support.errors import MimicError
from mimic.training.recipe import Student, Teacher


def check_nets(parameters: Parameters) -> None:
    """Raise MimicError when a variant's widths can't meet its budget, or images are too small for a net."""
    for arm, group in parameters.groups.items():
        for family, budgets in group.variants.items():
            for budget, student in budgets.items():
                try:
                    student_net(parameters, family, budget, student)
                except MimicError as error:
                    raise MimicError(f"{GROUPS[arm]}.variants.{family}.{budget}: {error}") from None


def check_searches(parameters: Parameters) -> None:
    """Raise MimicError when a search could propose what can't be trained."""
    try:
        if search := parameters.search.teachers:
            place = "teachers.space"
            default = complete(next(iter(parameters.teachers.members.values())), parameters.augmentation.hsv)
            check_space(search.space, default, teacher_goal(parameters))
        for arm, effort in parameters.searches.items():
            for family, budgets in effort.spaces.items() if effort else ():
                for budget, space in budgets.items():
                    place = f"{GROUPS[arm]}.spaces.{family}.{budget}"
                    default = parameters.groups[arm].variants[family][budget]
                    check_space(space, default, student_goal(parameters, family, budget))
    except MimicError as error:
        raise MimicError(f"search.{place}: {error}") from None


def check_space(space: Space, default: Teacher | Student, goal: Goal) -> None:
    """Raise MimicError, its key relative to the space's in params.yaml, when some point of it is illegal.

    A teacher's `default` is complete: it has colours of its own. Of a student's family at its budget at
    least the narrowest net must meet the budget.
    """
    if isinstance(space, StudentSpace):
        _check_names(space, goal)
    own = set(type(default.optimiser).model_fields) - {"kind"}
    for name in space.optimiser:
        if name not in own:
            has = f"has {', '.join(sorted(own))}" if own else "has nothing to search"
            raise MimicError(f"optimiser.{name}: unknown; {default.optimiser.kind} {has}")
    searched = dimensions(space, goal.family.widths == "ratios")
    _check_ranges(space, searched)
    _check_values(searched, default)
    if isinstance(space, StudentSpace):
        narrowest = {d.name: d.high if d.name.startswith("dropout.") else d.low for d in searched}
        try:
            net_of(goal, apply_point(default, narrowest))
        except MimicError as error:
            raise MimicError(f"the narrowest net in these ranges can not be trained: {error}") from None


def _check_names(space: StudentSpace, goal: Goal) -> None:
    family = goal.family
    for name in space.widths:
        if name == family.dependent:
            raise MimicError(f"widths.{name}: follows from the budget and can not be searched; remove it")
        if name not in family.given:
            raise MimicError(f"widths.{name}: unknown; {family.name} has {', '.join(family.given)}")


def _check_ranges(space: Space, searched: tuple[Dimension, ...]) -> None:
    named = dict(ranges(space))
    if not named:
        raise MimicError("nothing to search: give at least one range, or remove the search")
    for dimension in searched:
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
