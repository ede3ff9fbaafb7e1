"""Points from a model of Optuna, in memory."""

import numpy as np
import optuna
import torch
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler
from scipy.stats import yeojohnson

from mimic.search.points import Point
from mimic.search.round import Round

FEWEST_WARPED = 3  # different values, from which an exponent can be told


class OptunaModel:
    """What an Optuna sampler makes of a round's known results. Points asked for and not yet told are pending
    to it: the GP's expected improvement is that of the whole round, and TPE counts them as bad.

    Values are warped towards a normal distribution, as in HEBO (Cowen-Rivers et al. 2022): a GP expects one,
    and a few trials at chance level would else hide what sets the good ones apart. TPE goes by ranks alone.
    """

    def __init__(self, origin: str, round: Round, sampler: BaseSampler) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.origin = origin
        self._dimensions = round.dimensions
        self._distributions: dict[str, BaseDistribution] = {
            d.name: (IntDistribution if d.integer else FloatDistribution)(d.low, d.high, log=d.log)
            for d in round.dimensions
        }
        values = _warped([value for _, value in round.known])
        self._worst = max(values)
        self._study = optuna.create_study(sampler=sampler)
        for (point, _), value in zip(round.known, values, strict=True):
            self._study.add_trial(
                optuna.create_trial(params=point, distributions=self._distributions, value=value)
            )

    def ask(self) -> Point:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # sums depend on it in their last bits, and proposals would with them
        try:
            self._asked = self._study.ask(self._distributions)
        finally:
            torch.set_num_threads(threads)
        return {d.name: d.rounded(self._asked.params[d.name]) for d in self._dimensions}

    def reject(self) -> None:
        self._study.tell(self._asked, self._worst)


def _warped(values: list[float]) -> list[float]:
    """The values after a Yeo-Johnson transformation: monotone, its exponent the most likely one."""
    if len(set(values)) < FEWEST_WARPED:
        return values
    centred = (np.array(values) - np.mean(values)) / np.std(values)
    return yeojohnson(centred)[0].tolist()
