"""A sequence that leaves fewer gaps than chance (Sobol 1967, scrambled as in Owen 1998)."""

from itertools import chain, count, islice
from typing import TYPE_CHECKING, ClassVar, Literal

from mimic.support.frozen import Frozen

if TYPE_CHECKING:
    from mimic.search.round import Round
    from mimic.search.unit_cube import UnitCube


class Sobol(Frozen):
    """Quasi-random search. One Sobol sequence through all rounds; points refused come from another (ours)."""

    kind: Literal["sobol"] = "sobol"
    is_bayesian: ClassVar[bool] = False

    def start(self, round: "Round") -> "UnitCube":
        """A round has places of its own in the sequence: how many points were refused before isn't known."""
        from scipy.stats import qmc

        from mimic.search.unit_cube import UnitCube, even

        sequence, spare = qmc.Sobol(len(round.dimensions), rng=round.search_key), even(round)
        first = max(0, (round.number - 1) * round.trials - 1)  # the first trial is the default
        own = islice((sequence.random()[0] for _ in count()), first, first + round.trials)
        draws = chain(own, (spare.draw() for _ in count()))
        return UnitCube(self.kind, round.dimensions, draws.__next__)
