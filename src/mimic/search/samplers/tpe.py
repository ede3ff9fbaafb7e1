"""Parzen estimators (Bergstra et al. 2011), by Optuna."""

from typing import TYPE_CHECKING, ClassVar, Literal

from mimic.support.frozen import Frozen, option

if TYPE_CHECKING:
    from mimic.search.optuna_model import OptunaModel
    from mimic.search.round import Round
    from mimic.search.unit_cube import UnitCube


class TPE(Frozen):
    """TPE, Bayesian optimisation with Parzen estimators (Optuna). Points still to be trained count as bad."""

    kind: Literal["tpe"] = "tpe"
    independent: bool = option(False)
    """a density for each hyperparameter by itself, not one for all"""
    is_bayesian: ClassVar[bool] = True

    def start(self, round: "Round") -> "OptunaModel | UnitCube":
        from optuna.samplers import TPESampler

        from mimic.search.optuna_model import OptunaModel
        from mimic.search.unit_cube import even

        if not round.known:
            return even(round)
        sampler = TPESampler(seed=round.seed, n_startup_trials=1, multivariate=not self.independent)
        return OptunaModel(self.kind, round, sampler)
