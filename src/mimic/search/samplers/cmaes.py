"""CMA-ES (Hansen 2016)."""

from math import ceil
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from mimic.support.frozen import Frozen, option

if TYPE_CHECKING:
    from mimic.search.round import Round
    from mimic.search.unit_cube import UnitCube

SMALLEST_GENERATION = 4  # below it, covariances are not learnt


class CMAES(Frozen):
    """CMA-ES. From the best point of the first round; each later round is a generation, of four at least."""

    kind: Literal["cmaes"] = "cmaes"
    sigma: Annotated[float, Field(gt=0, le=1)] = option(1 / 6)
    """first standard deviation, as a share of each range; Optuna's"""
    is_bayesian: ClassVar[bool] = False

    def start(self, round: "Round") -> "UnitCube":
        """Rounds of fewer than four trials share a generation."""
        import numpy as np
        from cmaes import CMA

        from mimic.search.unit_cube import UnitCube, even

        if not round.known:
            return even(round)
        first, later = round.results[: round.trials], round.results[round.trials :]
        start, _ = min(round.inside(first) or round.results, key=lambda result: result[1])
        size = round.trials * ceil(SMALLEST_GENERATION / round.trials)
        strategy = CMA(
            mean=np.clip(round.to_unit(start), 0, 1),
            sigma=self.sigma,
            bounds=np.tile([0.0, 1.0], (len(round.dimensions), 1)),
            population_size=size,
            seed=round.seed,
        )
        for end in range(size, len(later) + 1, size):
            strategy.tell([(round.to_unit(point), value) for point, value in later[end - size : end]])
        return UnitCube(self.kind, round.dimensions, strategy.ask)
