"""The baseline."""

from typing import TYPE_CHECKING, ClassVar, Literal

from mimic.support.frozen import Frozen

if TYPE_CHECKING:
    from mimic.search.round import Round
    from mimic.search.unit_cube import UnitCube


class Random(Frozen):
    """Random search. Uniform in every round, the first too; the baseline."""

    kind: Literal["random"] = "random"
    is_bayesian: ClassVar[bool] = False

    def start(self, round: "Round") -> "UnitCube":
        from numpy.random import Generator, Philox

        from mimic.search.unit_cube import UnitCube

        generator = Generator(Philox(key=round.key))
        return UnitCube(self.kind, round.dimensions, lambda: generator.random(len(round.dimensions)))
