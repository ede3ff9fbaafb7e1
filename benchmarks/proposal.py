"""Seconds that proposals take, of each algorithm, late in a search as large as the paper's for teachers.

Usage: OMP_NUM_THREADS=1 python benchmarks/proposal.py [--finished 200] [--dimensions 18] [--trials 10]

The objective is a bowl with noise, off the centre; a third of the dimensions are whole, a third logarithmic.
"""

import argparse
import time

import optuna
import torch

from mimic.data.seeds import stream
from mimic.engine.provenance import processor
from mimic.search.points import Dimension, Point
from mimic.search.propose import propose
from mimic.search.round import Trained
from mimic.search.samplers import Sampler
from mimic.support.parts import parts_of

KINDS = ((0.2, 0.65, False, False), (0.01, 0.05, True, False), (32, 384, False, True))


def space(count: int) -> list[Dimension]:
    return [Dimension(f"x{number:02}", *KINDS[number % len(KINDS)]) for number in range(count)]


def error(dimensions: list[Dimension], point: Point, noise: float) -> float:
    distances = ((d.to_unit(point[d.name]) - 0.3) ** 2 for d in dimensions)
    return 0.1 + sum(distances) / len(dimensions) + 0.005 * noise


def history(dimensions: list[Dimension], count: int) -> list[Trained]:
    generator = stream(0, "benchmark")
    trials = []
    for _ in range(count):
        point = {d.name: d.from_unit(generator.random()) for d in dimensions}
        trials.append(Trained(point, error(dimensions, point, generator.normal())))
    return trials


def seconds(dimensions: list[Dimension], algorithm: Sampler, finished: list[Trained], trials: int) -> float:
    """Of one round of `trials` points, the model's fit included."""
    rounds = len(finished) // trials
    default = {d.name: d.from_unit(0.5) for d in dimensions}
    start = time.perf_counter()
    propose("benchmark", dimensions, algorithm, 0, rounds + 1, trials, finished, default, lambda point: None)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--finished", type=int, default=200)
    parser.add_argument("--dimensions", type=int, default=18)
    parser.add_argument("--trials", type=int, default=10, help="of a round; a divisor of --finished")
    arguments = parser.parse_args()

    dimensions = space(arguments.dimensions)
    finished = history(dimensions, arguments.finished)
    print(
        f"{processor()}; optuna {optuna.__version__}, torch {torch.__version__}; "
        f"{len(finished)} finished trials in {len(dimensions)} dimensions"
    )
    for algorithm in (sampler() for sampler in parts_of("mimic.search.samplers")):
        seconds(dimensions, algorithm, finished[: arguments.trials], 1)  # imports
        one = seconds(dimensions, algorithm, finished, 1)
        many = seconds(dimensions, algorithm, finished, arguments.trials)
        print(
            f"{algorithm.kind:>6}:  one proposal {one:7.3f} s   a round of {arguments.trials} {many:7.3f} s"
        )


if __name__ == "__main__":
    main()
