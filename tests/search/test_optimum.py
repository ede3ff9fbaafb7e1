"""Functions with known optima: the searches are worth their name."""

from math import cos, pi
from statistics import median

import numpy as np
import pytest

from mimic.data.seeds import stream
from mimic.search.points import Dimension
from mimic.search.propose import propose
from mimic.search.round import Trained
from mimic.search.samplers.cmaes import CMAES
from mimic.search.samplers.gp import GP
from mimic.search.samplers.random import Random
from mimic.search.samplers.tpe import TPE

PLANE = (Dimension("x", -5, 10), Dimension("y", 0, 15))
CUBE = tuple(Dimension(f"x{axis}", 0, 1) for axis in range(6))
ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
P = np.array(
    [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ]
)


def branin(point):
    """Three minima of 0.397887."""
    x, y = point["x"], point["y"]
    return (y - 5.1 / (4 * pi**2) * x**2 + 5 / pi * x - 6) ** 2 + 10 * (1 - 1 / (8 * pi)) * cos(x) + 10


def hartmann(point):
    """One minimum of -3.32237 among several."""
    x = np.array(list(point.values()))
    return -float(ALPHA @ np.exp(-(A * (x - P) ** 2).sum(axis=1)))


def found(objective, space, algorithm, rounds, trials, seed, noise=0.0):
    """The true value of the trial that looked best."""
    draws, history = stream(seed, "noise"), []
    centre = {dimension.name: dimension.from_unit(0.5) for dimension in space}
    for round in range(1, rounds + 1):
        proposal = propose(
            "test", space, algorithm, seed, round, trials, history, centre, feasible=lambda point: None
        )
        for point in proposal.points:
            history.append(Trained(point, objective(point) + noise * draws.normal()))
    return objective(min(history, key=lambda trial: trial.validation_error).point)


def medians(*arguments, seeds=5, **options):
    """Of the GP's searches and of the baseline's, from several seeds: none is to win by luck."""
    return [
        median(found(*arguments[:2], algorithm, *arguments[2:], seed, **options) for seed in range(seeds))
        for algorithm in (GP(), Random())
    ]


def test_branin_in_five_rounds_of_four():
    gp, random = medians(branin, PLANE, 5, 4)
    assert gp < 0.6 < random


@pytest.mark.long
def test_hartmann_in_six_rounds_of_five():
    gp, random = medians(hartmann, CUBE, 6, 5)
    assert gp < -2.5 < random


@pytest.mark.long
def test_branin_under_noise_of_a_hundredth_of_its_range():
    gp, random = medians(branin, PLANE, 5, 4, noise=3.0)
    assert gp < 1.5 < random


@pytest.mark.parametrize("algorithm", [TPE(), TPE(independent=True), CMAES()])
def test_the_other_algorithms_find_their_way_too(algorithm):
    """A bowl, in 60 trials: they need more than the GP."""
    bowl = lambda point: sum((value - 0.7) ** 2 for value in point.values())  # noqa: E731
    values = [found(bowl, CUBE, a, 10, 6, seed) for a in (algorithm, Random()) for seed in range(3)]
    assert max(values[:3]) < min(values[3:])
