"""Where the points of a round come from: uniform draws, a Sobol sequence, CMA-ES, or Optuna's GP and TPE."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Protocol

import numpy as np
import optuna
import torch
from cmaes import CMA
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import GPSampler, TPESampler
from scipy.stats import qmc, yeojohnson

from mimic.data.seeds import stream, stream_key
from mimic.search.points import Dimension, Point, is_inside
from mimic.search.spaces import Algorithm

SMALLEST_GENERATION = 4  # of CMA-ES: below it, covariances are not learnt
FEWEST_WARPED = 3  # different values, from which an exponent can be told
Result = tuple[Point, float]  # the less the better


@dataclass(frozen=True)
class Trained:
    """A trial of an earlier round."""

    point: Point
    validation_error: float | None  # fraction; None: it diverged


class Sampler(Protocol):
    """One round's source of points."""

    origin: str

    def ask(self) -> Point:
        """Another point, in view of those asked before."""

    def reject(self) -> None:
        """The point asked last can't be trained."""


def make_sampler(
    search: str,
    dimensions: Sequence[Dimension],
    algorithm: Algorithm,
    seed: int,
    round: int,
    trials: int,
    history: Sequence[Trained],
) -> Sampler:
    """The source of one round's points, `history` in sight; without results to go by, a Sobol sequence."""
    purpose = ("search", search, "round", round)
    if algorithm == "random":
        generator = stream(seed, *purpose)
        return UnitCube("random", dimensions, lambda: generator.random(len(dimensions)))
    results = _results(history)
    known = [(point, value) for point, value in results if is_inside(dimensions, point)]
    key = stream_key(seed, *purpose)
    if round == 1 or not known:
        sequence = qmc.Sobol(len(dimensions), scramble=True, rng=key)  # any beginning of it is even
        return UnitCube("sobol", dimensions, lambda: sequence.random()[0])
    if algorithm == "cmaes":
        return UnitCube("cmaes", dimensions, _evolved(dimensions, results, trials, key % 2**32).ask)
    return ModelBased(algorithm, dimensions, known, key % 2**32)


def _results(history: Sequence[Trained]) -> list[Result]:
    """A trial that diverged counts as the worst that did not: a gap would be tried again, and a far larger
    value would flatten what the model sees of the rest."""
    errors = [trial.validation_error for trial in history if trial.validation_error is not None]
    worst = max(errors, default=1.0)
    return [(t.point, worst if t.validation_error is None else t.validation_error) for t in history]


@dataclass
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


def _evolved(dimensions: Sequence[Dimension], results: list[Result], trials: int, seed: int) -> CMA:
    """CMA-ES (Hansen 2016) from the best point of the first round on; each later round is a generation.

    Rounds of fewer than four trials share one.
    """

    def unit(point: Point) -> np.ndarray:
        return np.array([dimension.to_unit(point[dimension.name]) for dimension in dimensions])

    first, later = results[:trials], results[trials:]
    inside = [(point, value) for point, value in first if is_inside(dimensions, point)]
    start, _ = min(inside or results, key=lambda result: result[1])
    size = trials * ceil(SMALLEST_GENERATION / trials)
    strategy = CMA(
        mean=np.clip(unit(start), 0, 1),
        sigma=1 / 6,  # of each range, as in Optuna
        bounds=np.tile([0.0, 1.0], (len(dimensions), 1)),
        population_size=size,
        seed=seed,
    )
    for end in range(size, len(later) + 1, size):
        strategy.tell([(unit(point), value) for point, value in later[end - size : end]])
    return strategy


class ModelBased:
    """Optuna's GP or TPE in memory. Points asked for and not yet told are pending to it: the GP's expected
    improvement is that of the whole round, and TPE counts them as bad.

    Values are warped towards a normal distribution, as in HEBO (Cowen-Rivers et al. 2022): a GP expects one,
    and a few trials at chance level would else hide what sets the good ones apart. TPE goes by ranks alone.
    """

    def __init__(
        self, algorithm: Algorithm, dimensions: Sequence[Dimension], results: list[Result], seed: int
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.origin: str = algorithm
        self._dimensions = dimensions
        self._distributions: dict[str, BaseDistribution] = {
            d.name: (IntDistribution if d.integer else FloatDistribution)(d.low, d.high, log=d.log)
            for d in dimensions
        }
        values = _warped([value for _, value in results])
        self._worst = max(values)
        sampler = {"gp": GPSampler, "tpe": TPESampler}[algorithm](seed=seed, n_startup_trials=1)
        self._study = optuna.create_study(sampler=sampler)
        for (point, _), value in zip(results, values, strict=True):
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
