"""One round of a search: which points to train next, given every trial of the earlier rounds.

The first point of the first round is the default, whatever the algorithm, which gives all others, one after
another. A point that can't be trained is refused: it is recorded, counts as a bad result within this round,
and another is asked for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

from mimic.search.points import Dimension, Point
from mimic.search.round import Round, Trained
from mimic.search.samplers import Sampler
from mimic.support.errors import MimicError

REFUSALS = 100  # in a row, after which a search gives up
REPEATS = 10  # in a row, of known points, after which one is taken: small spaces have no others


@dataclass(frozen=True)
class Refusal:
    """A point that is not trained, and why."""

    point: Point
    reason: str


@dataclass(frozen=True)
class Proposal:
    """A round's points, where each came from, and those refused on the way."""

    points: tuple[Point, ...]
    origins: tuple[str, ...]  # "default", "sobol" or the algorithm
    refused: tuple[Refusal, ...]


def propose(
    search: str,
    dimensions: Sequence[Dimension],
    algorithm: Sampler,
    seed: int,
    round: int,
    trials: int,
    history: Sequence[Trained],
    default: Point,
    feasible: Callable[[Point], str | None],
) -> Proposal:
    """The `trials` points of round `round`, counted from 1, of the search of that name.

    `history` holds all trials of the earlier rounds, in order. `feasible` says why a point can't be trained,
    or None. The proposal is a function of the arguments alone.

    Raises MimicError when points are refused time and again.
    """
    if len(history) != (round - 1) * trials:
        raise ValueError(f"{search}: round {round} follows {(round - 1) * trials} trials, not {len(history)}")
    source = algorithm.start(Round(dimensions, round, trials, history, (seed, "search", search)))
    first = [(default, "default")] if round == 1 else []
    asked = ((point, source.origin) for point in iter(source.ask, None))

    known = [trial.point for trial in history]
    accepted, refused = [], []
    refusals = repeats = 0
    for point, origin in chain(first, asked):
        if reason := feasible(point):
            refused.append(Refusal(point, reason))
            source.reject()
            refusals += 1
            if refusals == REFUSALS:
                raise MimicError(
                    f"search {search}: {REFUSALS} points in a row can not be trained, the last because of "
                    f"{reason}; change the ranges in its space so that most nets meet the budget"
                )
        elif point in known and repeats < REPEATS:
            repeats += 1
        else:
            accepted.append((point, origin))
            known.append(point)
            refusals = repeats = 0
        if len(accepted) == trials:
            break
    points, origins = zip(*accepted, strict=True)
    return Proposal(points, origins, tuple(refused))
