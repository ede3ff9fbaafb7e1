"""Widths that bring a student as close to its budget of parameters as whole numbers allow."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from mimic.nets.family import Family, Widths
from mimic.nets.layers import Layers, count
from mimic.support.errors import MimicError


def solve(
    family: Family,
    budget: int,
    widths: Mapping[str, float],
    classes: int,
    channels: int,
    image_size: int,
    dropout: Mapping[str, float],
) -> Layers:
    """The net of `family` with `widths` whose number of parameters is closest to `budget`.

    Where the family has a dependent width, that one is solved and the others stay as given. Where
    `widths` are ratios, all are scaled together (paper); how they are rounded is ours. No other
    value of the dependent width, or of any one of the scaled widths, comes closer; of two equally close
    the smaller is taken. A family of fixed widths has no budget.

    Raises MimicError, its key relative to the variant's in params.yaml, when widths are missing, unknown
    or not whole, when they or the family exceed the budget, and when a dropout rate has no place.
    """
    _check_widths(family, widths)

    def parameters(widths: Widths) -> int:
        return count(family.layers(widths, classes, dropout), channels, image_size)

    if family.widths == "fixed":
        solved = {name: int(number) for name, number in widths.items()}
    else:
        solver = _Solver(family, budget, parameters)
        solved = solver.complete(widths) if family.dependent else solver.scale(widths)
    family.check_dropout(dropout)
    return family.layers(solved, classes, dropout)


@dataclass(frozen=True)
class _Solver:
    """What a family's widths may be at one budget. The number of parameters grows with each width."""

    family: Family
    budget: int
    parameters: Callable[[Widths], int]

    def complete(self, given: Mapping[str, float]) -> dict[str, int]:
        """The given widths, and the dependent one that brings the net closest to the budget."""
        dependent: Any = self.family.dependent  # a name: only a family that has one is completed
        narrowest = {name: int(given[name]) for name in self.family.given} | {dependent: 1}
        if self.parameters(narrowest) > self.budget:
            raise self._too_wide(narrowest)
        return self._closest(narrowest, dependent)

    def scale(self, ratios: Mapping[str, float]) -> dict[str, int]:
        """All widths in proportion to their ratios as far as whole numbers allow.

        A unit of the bottleneck costs far more than one of a hidden layer. So widths are settled one
        after another: what rounding one leaves over is shared out among those that follow.
        """
        names = self.family.given
        settled: dict[str, int] = {}

        def proportional(widest: int) -> dict[str, int]:
            free = {name: ratios[name] for name in names if name not in settled}
            top = max(free.values())
            return settled | {name: max(1, round(widest * (ratio / top))) for name, ratio in free.items()}

        if self.parameters(dict.fromkeys(names, 1)) > self.budget:
            raise self._too_small()
        for name in names:
            widest = self._largest(proportional)
            nearest = min(proportional(widest), proportional(widest + 1), key=self._distance)
            settled = settled | {name: nearest[name]}
        while True:
            closer = min((self._closest(settled, name) for name in names), key=self._distance)
            if self._distance(closer) >= self._distance(settled):
                return settled
            settled = closer

    def _distance(self, widths: Widths) -> int:
        return abs(self.parameters(widths) - self.budget)

    def _largest(self, widths: Callable[[int], Widths]) -> int:
        """The largest number whose `widths` stay within the budget; 0 if none does."""
        numbers = range(1, self.budget + 2)
        return bisect_right(numbers, self.budget, key=lambda number: self.parameters(widths(number)))

    def _largest_of(self, widths: Widths, name: str) -> int:
        """The largest value of one width, the others as they are, within the budget; 0 if none is."""
        return self._largest(lambda number: {**widths, name: number})

    def _closest(self, widths: Widths, name: str) -> dict[str, int]:
        """`widths` with the value of `name` that brings the net closest to the budget."""
        below = self._largest_of(widths, name)
        return min(({**widths, name: number} for number in (max(1, below), below + 1)), key=self._distance)

    def _too_wide(self, narrowest: Widths) -> MimicError:
        """Names a bound for each given width that would do alone, else one that would do for all."""
        names, dependent = self.family.given, self.family.dependent
        common = self._largest(lambda number: {**dict.fromkeys(names, number), dependent: 1})  # type: ignore[dict-item]
        if not common:
            return self._too_small()
        bounds = {name: self._largest_of(narrowest, name) for name in names}
        remedy = " or ".join(f"{name} to at most {bound}" for name, bound in bounds.items() if bound)
        remedy = remedy or f"each of {', '.join(names)} to at most {common}"
        given = ", ".join(f"{name} {narrowest[name]}" for name in names)
        return MimicError(
            f"widths: {given} leave no unit of {dependent} within {self.budget} parameters; lower {remedy}"
        )

    def _too_small(self) -> MimicError:
        names = (*self.family.given, self.family.dependent)
        least = self.parameters(dict.fromkeys(filter(None, names), 1))
        return MimicError(
            f"{self.family.name} has at least {least} parameters with these images; {self.budget} are too few"
        )


def _check_widths(family: Family, widths: Mapping[str, float]) -> None:
    missing = [name for name in family.given if name not in widths]
    unknown = [name for name in widths if name not in family.given]
    if missing or unknown:
        wrong = "; ".join(
            f"{what} {', '.join(names)}"
            for what, names in (("missing", missing), ("unknown", unknown))
            if names
        )
        solved = f"{family.dependent} follows" if family.dependent else "their scale follows"
        raise MimicError(
            f"widths: {family.name} takes {', '.join(family.given)} ({solved} from the budget); {wrong}"
        )
    for name, value in widths.items():
        if family.widths == "ratios" and not 0 < value < inf:
            raise MimicError(f"widths.{name}: must be a ratio above 0, not {value}")
        if family.widths != "ratios" and not (1 <= value < inf and value == int(value)):
            raise MimicError(f"widths.{name}: must be a whole number from 1 up, not {value}")
