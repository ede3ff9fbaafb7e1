"""Where the points of a round come from: uniform draws, a Sobol sequence, CMA-ES, or Optuna's GP and TPE."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Protocol

import numpy as np
import optuna
import torch
from cmaes import CMA
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, GPSampler, TPESampler
from scipy.stats import qmc, yeojohnson

from mimic.data.seeds import stream, stream_key
from mimic.search.points import Dimension, Point, is_inside
from mimic.search.spaces import Algorithm

SMALLEST_GENERATION = 4  # of CMA-ES: below it, covariances are not learnt

FEWEST_WARPED = 3  # different values, from which an exponent can be told


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
        return Uniform(dimensions, stream(seed, *purpose))
    results = _results(history)
    if round == 1 or not any(is_inside(dimensions, result.point) for result in results):
        return Sobol(dimensions, stream_key(seed, *purpose))
    if algorithm == "cmaes":
        return EvolutionStrategy(dimensions, results, trials, stream_key(seed, *purpose) % 2**32)
    known = [result for result in results if is_inside(dimensions, result.point)]
    return ModelBased(algorithm, dimensions, known, stream_key(seed, *purpose) % 2**32)


@dataclass(frozen=True)
class Result:
    """A point and its value, the less the better."""

    point: Point
    value: float


def _results(history: Sequence[Trained]) -> list[Result]:
    """A trial that diverged counts as the worst that did not: a gap would be tried again, and a far larger
    value would flatten what the model sees of the rest."""
    errors = [trial.validation_error for trial in history if trial.validation_error is not None]
    worst = max(errors, default=1.0)
    return [
        Result(trial.point, worst if trial.validation_error is None else trial.validation_error)
        for trial in history
    ]


class _OfUnitCube(ABC):
    """A source of points in the unit cube, to which refusals mean nothing."""

    def __init__(self, dimensions: Sequence[Dimension]) -> None:
        self._dimensions = dimensions

    @abstractmethod
    def _shares(self) -> np.ndarray:
        """Where the next point lies between the bounds, 0 to 1 for each dimension."""

    def ask(self) -> Point:
        return {
            dimension.name: dimension.from_unit(float(share))
            for dimension, share in zip(self._dimensions, self._shares(), strict=True)
        }

    def reject(self) -> None:  # noqa: B027 (refusals mean nothing here)
        pass


class Uniform(_OfUnitCube):
    """Independent draws."""

    origin = "random"

    def __init__(self, dimensions: Sequence[Dimension], generator: np.random.Generator) -> None:
        super().__init__(dimensions)
        self._generator = generator

    def _shares(self) -> np.ndarray:
        return self._generator.random(len(self._dimensions))


class Sobol(_OfUnitCube):
    """A scrambled Sobol sequence: any beginning of it covers the space evenly."""

    origin = "sobol"

    def __init__(self, dimensions: Sequence[Dimension], seed: int) -> None:
        super().__init__(dimensions)
        self._sequence = qmc.Sobol(len(dimensions), scramble=True, rng=seed)

    def _shares(self) -> np.ndarray:
        return self._sequence.random()[0]


class EvolutionStrategy(_OfUnitCube):
    """CMA-ES (Hansen 2016) from the best point of the first round on; each later round is a generation.

    Rounds of fewer than four trials share one. Refused points are drawn anew from the same distribution.
    """

    origin = "cmaes"

    def __init__(
        self, dimensions: Sequence[Dimension], results: list[Result], trials: int, seed: int
    ) -> None:
        super().__init__(dimensions)
        inside = [result for result in results[:trials] if is_inside(dimensions, result.point)]
        start = min(inside or results, key=lambda result: result.value)
        size = trials * ceil(SMALLEST_GENERATION / trials)
        self._strategy = CMA(
            mean=np.clip(self._unit(start.point), 0, 1),
            sigma=1 / 6,  # of each range, as in Optuna
            bounds=np.tile([0.0, 1.0], (len(dimensions), 1)),
            population_size=size,
            seed=seed,
        )
        later = results[trials:]
        for end in range(size, len(later) + 1, size):
            self._strategy.tell(
                [(self._unit(result.point), result.value) for result in later[end - size : end]]
            )

    def _unit(self, point: Point) -> np.ndarray:
        return np.array([dimension.to_unit(point[dimension.name]) for dimension in self._dimensions])

    def _shares(self) -> np.ndarray:
        return self._strategy.ask()


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
        self.origin = algorithm
        self._dimensions = dimensions
        self._distributions = {d.name: _distribution(d) for d in dimensions}
        values = _warped([result.value for result in results])
        self._worst = max(values)
        self._study = optuna.create_study(sampler=_optuna_sampler(algorithm, seed))
        for result, value in zip(results, values, strict=True):
            self._study.add_trial(
                optuna.create_trial(params=result.point, distributions=self._distributions, value=value)
            )

    def ask(self) -> Point:
        with _one_thread():
            self._asked = self._study.ask(self._distributions)
        return {d.name: d.rounded(self._asked.params[d.name]) for d in self._dimensions}

    def reject(self) -> None:
        self._study.tell(self._asked, self._worst)


def _optuna_sampler(algorithm: Algorithm, seed: int) -> BaseSampler:
    samplers = {"gp": GPSampler, "tpe": TPESampler}
    return samplers[algorithm](seed=seed, n_startup_trials=1)  # the first round was the start


def _warped(values: list[float]) -> list[float]:
    """The values after a Yeo-Johnson transformation: monotone, its exponent the most likely one."""
    if len(set(values)) < FEWEST_WARPED:
        return values
    centred = (np.array(values) - np.mean(values)) / np.std(values)
    return yeojohnson(centred)[0].tolist()


def _distribution(dimension: Dimension) -> FloatDistribution | IntDistribution:
    kind = IntDistribution if dimension.integer else FloatDistribution
    return kind(dimension.low, dimension.high, log=dimension.log)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums depend on the number of threads in their last bits, and proposals would with them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
