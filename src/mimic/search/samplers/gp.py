"""A Gaussian process (Rasmussen and Williams 2006), by Optuna."""

from typing import TYPE_CHECKING, ClassVar, Literal

from mimic.support.frozen import Frozen

if TYPE_CHECKING:
    from mimic.search.optuna_model import OptunaModel
    from mimic.search.round import Round
    from mimic.search.unit_cube import UnitCube


class GP(Frozen):
    """GP, Bayesian optimisation with a Gaussian process (Optuna). Expected improvement of the whole round."""

    kind: Literal["gp"] = "gp"
    is_bayesian: ClassVar[bool] = True

    def start(self, round: "Round") -> "OptunaModel | UnitCube":
        from optuna.samplers import GPSampler

        from mimic.search.optuna_model import OptunaModel
        from mimic.search.unit_cube import even

        if not round.known:
            return even(round)
        return OptunaModel(self.kind, round, GPSampler(seed=round.seed, n_startup_trials=1))
