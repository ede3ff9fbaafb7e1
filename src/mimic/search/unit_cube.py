"""Points from the unit cube."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import qmc

from mimic.search.points import Dimension, Point
from mimic.search.round import Round


@dataclass(frozen=True)
class UnitCube:
    """Points from where `draw` says that they lie between the bounds, 0 to 1 for each dimension."""

    origin: str
    dimensions: Sequence[Dimension]
    draw: Callable[[], np.ndarray]

    def ask(self) -> Point:
        return {
            d.name: d.from_unit(float(share)) for d, share in zip(self.dimensions, self.draw(), strict=True)
        }

    def reject(self) -> None:
        """A refusal means nothing here: another is drawn from the same distribution."""


def even(round: Round) -> UnitCube:
    """A scrambled Sobol sequence of the round's own: any beginning of it is even."""
    sequence = qmc.Sobol(len(round.dimensions), scramble=True, rng=round.key)
    return UnitCube("sobol", round.dimensions, lambda: sequence.random()[0])
