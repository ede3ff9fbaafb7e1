"""What means nothing, or what no machine could run, though each value alone is right.

Memory is looked at by `mimic.plan.limits`, which knows nets and images. Bounds are ours.
"""

from collections.abc import Iterable, Iterator
from math import ceil

from mimic.config.parameters import (
    GROUPS,
    Effort,
    Parameters,
    StudentGroup,
    Teachers,
    TeacherSearch,
    budget_parameters,
)
from mimic.support.errors import MimicError
from mimic.support.frozen import Frozen
from mimic.training.schedules import Schedule

JOBS = 20_000  # that Snakemake takes in its stride; the paper's study has 2,908
ROUNDS = 99  # of a search, by the two digits of their names
EPOCHS = 100_000
LEAST, MOST = 1e-30, 1e30  # of float32, with room for a product


def check_bounds(parameters: Parameters) -> None:
    """Raise MimicError, its key first, for what is out of bounds."""
    for place, value in _values(parameters):
        if isinstance(value, float) and value and not LEAST <= abs(value) <= MOST:
            raise MimicError(f"{place}: {value:g} is beyond what nets compute with, {LEAST:g} to {MOST:g}")
        if hasattr(value, "expected_epochs") and (epochs := value.expected_epochs(1.0)) > EPOCHS:
            raise MimicError(f"{place}: {epochs} epochs; at most {EPOCHS} come to an end")
    _check_spellings(parameters)
    for place, effort in _efforts(parameters):
        if (rounds := ceil(effort.trials / effort.at_once)) > ROUNDS:
            raise MimicError(
                f"{place}: {effort.trials} trials, {effort.at_once} at once, are {rounds} rounds, more than "
                f"{ROUNDS}; raise at_once to {ceil(effort.trials / ROUNDS)}"
            )
    _check_stopping(parameters)
    if (jobs := _jobs(parameters)) > JOBS:
        raise MimicError(
            f"the study has {jobs} jobs, more than {JOBS}; lower seeds or trials, or raise "
            "transfer.epochs_per_shard"
        )


def check_batches(parameters: Parameters, train: int) -> None:
    """Raise MimicError for a batch larger than the set of `train` images."""
    groups = {"teachers": parameters.teachers, **{GROUPS[arm]: g for arm, g in parameters.groups.items()}}
    for name, group in groups.items():
        if group.batch_size > train:
            raise MimicError(
                f"{name}.batch_size: {group.batch_size} is more than the {train} images to train on; lower it"
            )


def _values(value: object, place: str = "") -> Iterator[tuple[str, object]]:
    """Every value within `value`, groups too, and its key."""
    yield place, value
    items = value if isinstance(value, Frozen) else value.items() if isinstance(value, dict) else ()
    for key, item in items:
        yield from _values(item, f"{place}.{key}" if place else str(key))


def _check_spellings(parameters: Parameters) -> None:
    """A budget has one spelling in a study: tables and folders are by its name."""
    names: dict[int, str] = {}
    for arm, group in parameters.groups.items():
        for family, budgets in group.variants.items():
            for budget in budgets:
                first = names.setdefault(budget_parameters(budget), budget)
                if budget != first:
                    place = f"{GROUPS[arm]}.variants.{family}.{budget}"
                    raise MimicError(f"{place}: the budget that is called {first} elsewhere; use one name")


def _efforts(parameters: Parameters) -> Iterator[tuple[str, Effort]]:
    """The searches that there are, with their keys."""
    for name in ("teachers", *GROUPS.values()):
        if effort := getattr(parameters.search, name):
            yield f"search.{name}", effort


def _check_stopping(parameters: Parameters) -> None:
    if (rule := parameters.search.stopping) is None:
        return
    if list(rule.epochs) != sorted(set(rule.epochs)):
        raise MimicError(f"search.stopping.epochs: must ascend, as {sorted(set(rule.epochs))}")
    for place, effort in _efforts(parameters):
        group = getattr(parameters, place.removeprefix("search."))
        schedules = [effort.schedule] if effort.schedule else _schedules(effort, group)
        if rule.epochs[-1] >= (last := min(schedule.expected_epochs(1.0) for schedule in schedules)):
            raise MimicError(
                f"search.stopping.epochs: {rule.epochs[-1]} comes too late for the trials of {place}, which "
                f"last {last} epochs; leave it out"
            )


def _schedules(effort: Effort, group: Teachers | StudentGroup) -> list[Schedule]:
    """Of what is searched, where trials have none of their own."""
    if isinstance(effort, TeacherSearch) or isinstance(group, Teachers):
        return [group.schedule]
    searched = [(family, budget) for family, budgets in effort.spaces.items() for budget in budgets]
    return [group.variants[family][budget].schedule or group.schedule for family, budget in searched]


def _jobs(parameters: Parameters) -> int:
    """About how many jobs the study has, without making them."""
    search, searched = parameters.search, 0
    for _, effort in _efforts(parameters):
        spaces = sum(map(len, effort.spaces.values())) if hasattr(effort, "spaces") else 1
        searched += spaces * (effort.trials + ceil(effort.trials / effort.at_once) + 2)
    shards = ceil(parameters.transfer.epochs / parameters.transfer.epochs_per_shard)
    models = len(parameters.teachers.members) + sum(_students(parameters))
    return shards + 2 * models + searched * (1 if search.baseline is None else 2) + 5


def _students(parameters: Parameters) -> Iterable[int]:
    """How many students each group has."""
    return (group.seeds * sum(map(len, group.variants.values())) for group in parameters.groups.values())
