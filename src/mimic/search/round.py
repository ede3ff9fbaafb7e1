"""What a sampler is told of the round whose points it gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mimic.data.seeds import stream_key
from mimic.search.points import Dimension, Point, is_inside

Result = tuple[Point, float]  # the less the better


@dataclass(frozen=True)
class Trained:
    """A trial of an earlier round."""

    point: Point
    validation_error: float | None  # fraction; None: it diverged


@dataclass(frozen=True)
class Round:
    """One round of a search."""

    dimensions: Sequence[Dimension]
    number: int  # from 1
    trials: int  # of each round
    history: Sequence[Trained]  # of the earlier rounds, in order
    purpose: tuple[str | int, ...]  # of all that is drawn, the study's seed first

    @cached_property
    def results(self) -> list[Result]:
        """A trial that diverged counts as the worst that did not: a gap would be tried again, and a far
        larger value would flatten what a model sees of the rest."""
        errors = [trial.validation_error for trial in self.history if trial.validation_error is not None]
        worst = max(errors, default=1.0)
        return [(t.point, worst if t.validation_error is None else t.validation_error) for t in self.history]

    @property
    def known(self) -> list[Result]:
        """Those that a model can be told: the default may lie outside the ranges."""
        return self.inside(self.results)

    def inside(self, results: Sequence[Result]) -> list[Result]:
        return [result for result in results if is_inside(self.dimensions, result[0])]

    def to_unit(self, point: Point) -> np.ndarray:
        """Where a point lies between the bounds, 0 to 1 for each dimension."""
        return np.array([dimension.to_unit(point[dimension.name]) for dimension in self.dimensions])

    @property
    def search_key(self) -> int:
        """128 bits for what the rounds of the search share."""
        return stream_key(*self.purpose)

    @property
    def key(self) -> int:
        """128 bits for what is drawn in this round."""
        return stream_key(*self.purpose, "round", self.number)

    @property
    def seed(self) -> int:
        """The key, for whom 32 bits must do."""
        return self.key % 2**32
