import json
import os
import subprocess
import sys
from functools import cache
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from mimic.search.points import Dimension, is_inside
from mimic.search.propose import REFUSALS, propose
from mimic.search.round import Trained
from mimic.search.samplers import Sampler
from mimic.support.errors import MimicError
from mimic.support.parts import kind, parts_of

ALGORITHMS = [kind(sampler) for sampler in parts_of("mimic.search.samplers")]
BLIND = ("random", "sobol")  # to results
SPACE = (
    Dimension("learning_rate", 0.0013, 0.016, log=True),
    Dimension("momentum", 0.68, 0.97),
    Dimension("widths.c1", 20, 120, integer=True),
)
DEFAULT = {"learning_rate": 0.002, "momentum": 0.9, "widths.c1": 48}
each_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS)


def error(point):
    """Of a training: least at a rate of 0.005 and 80 filters; None where it diverges."""
    if point["learning_rate"] / (1 - point["momentum"]) > 0.1:
        return None
    return 0.2 + 20 * abs(point["learning_rate"] - 0.005) + ((point["widths.c1"] - 80) / 300) ** 2


def ask(algorithm="gp", round=1, trials=3, history=(), seed=1, feasible=lambda point: None, **changes):
    arguments = {"search": "conv2-1M-logits", "dimensions": SPACE, "default": DEFAULT} | changes
    return propose(
        algorithm=TypeAdapter(Sampler).validate_python(algorithm),
        seed=seed,
        round=round,
        trials=trials,
        history=history,
        feasible=feasible,
        **arguments,
    )


def search(algorithm, rounds, trials=3, objective=error, **options):
    """The proposals and trials of a search."""
    proposals, history = [], []
    for round in range(1, rounds + 1):
        proposals.append(ask(algorithm, round, trials, history, **options))
        history += [Trained(point, objective(point)) for point in proposals[-1].points]
    return proposals, history


@cache
def usual(algorithm, rounds):
    """A search as most tests need it."""
    return search(algorithm, rounds)


@each_algorithm
def test_the_first_trial_is_the_default(algorithm):
    first, second = usual(algorithm, 2)[0]
    rest = "random" if algorithm == "random" else "sobol"
    assert first.points[0] == DEFAULT
    assert first.origins == ("default", rest, rest)
    assert second.origins == (algorithm,) * 3


def test_a_default_outside_the_space_is_tried_all_the_same():
    default = DEFAULT | {"learning_rate": 0.0001}
    for algorithm in ALGORITHMS:
        first, second = search(algorithm, rounds=2, default=default)[0]
        assert first.points[0] == default
        assert all(is_inside(SPACE, point) for point in (*first.points[1:], *second.points))


def test_without_a_result_inside_the_space_exploration_goes_on():
    default = DEFAULT | {"learning_rate": 0.0001}
    _, second = search("gp", rounds=2, trials=1, default=default)[0]
    assert second.origins == ("sobol",)


@each_algorithm
def test_points_have_the_names_and_types_of_the_space_and_lie_inside(algorithm):
    for proposal in usual(algorithm, 3)[0]:
        for point in proposal.points:
            assert list(point) == [dimension.name for dimension in SPACE]
            assert is_inside(SPACE, point)
            assert isinstance(point["widths.c1"], int)
            assert json.loads(json.dumps(point)) == point


@each_algorithm
def test_the_points_of_a_search_differ(algorithm):
    _, history = usual(algorithm, 3)
    assert len({tuple(trial.point.values()) for trial in history}) == 9


@each_algorithm
def test_seeds_and_searches_have_points_of_their_own(algorithm):
    _, history = usual(algorithm, 1)
    points = ask(algorithm, 2, history=history).points
    assert ask(algorithm, 2, history=history).points == points
    assert ask(algorithm, 2, history=history, seed=2).points != points
    assert ask(algorithm, 2, history=history, search="conv3-1M-logits").points != points


@each_algorithm
def test_another_round_changes_no_earlier_proposal(algorithm):
    assert usual(algorithm, 3)[0][:2] == usual(algorithm, 2)[0]


@each_algorithm
def test_results_of_earlier_rounds_matter_but_to_the_blind(algorithm):
    _, history = usual(algorithm, 2)
    inverted = [Trained(t.point, t.validation_error and 1 - t.validation_error) for t in history]
    same = ask(algorithm, 3, history=history).points == ask(algorithm, 3, history=inverted).points
    assert same == (algorithm in BLIND)


SCRIPT = """
import json, sys
from mimic.search.points import Dimension
from mimic.search.propose import propose
from mimic.search.round import Trained
from mimic.search.samplers.gp import GP
space, default, history = json.load(sys.stdin)
proposal = propose(
    search="conv2-1M-logits", dimensions=[Dimension(**d) for d in space], algorithm=GP(),
    seed=1, round=3, trials=3, history=[Trained(*trial) for trial in history], default=default,
    feasible=lambda point: None,
)
json.dump(proposal.points, sys.stdout)
"""


def test_proposals_do_not_depend_on_process_hash_seed_or_threads():
    _, history = usual("gp", 2)
    asked = [
        [vars(dimension) for dimension in SPACE],
        DEFAULT,
        [[trial.point, trial.validation_error] for trial in history],
    ]
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(asked),
        env=os.environ
        | {"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "2", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(answer.stdout) == list(ask("gp", 3, history=history).points)


@each_algorithm
def test_a_search_goes_on_when_every_trial_diverged(algorithm):
    _, history = search(algorithm, rounds=2, objective=lambda point: None)
    assert len(history) == 6


@pytest.mark.parametrize("algorithm", ["gp", "tpe", "cmaes"])
def test_where_trials_diverged_fewer_are_proposed(algorithm):
    """Failures are bad results, not gaps to be tried again: half the space fails here."""

    def objective(point):
        return None if point["momentum"] > 0.825 else 0.2 + abs(point["momentum"] - 0.73)

    _, history = search(algorithm, rounds=4, trials=5, objective=objective)
    diverged = [trial.validation_error is None for trial in history[10:]]
    assert sum(diverged) <= 3  # of 10, where chance alone gives 5


@each_algorithm
def test_points_that_can_not_be_trained_are_refused_with_their_reason(algorithm):
    def feasible(point):
        return "odd" if point["widths.c1"] % 2 else None

    for proposal in search(algorithm, rounds=2, trials=5, feasible=feasible)[0]:
        assert len(proposal.points) == 5
        assert all(point["widths.c1"] % 2 == 0 for point in proposal.points)
        assert all(r.point["widths.c1"] % 2 and r.reason == "odd" for r in proposal.refused)
        assert proposal.refused


@pytest.mark.parametrize("algorithm", ["tpe", "random"])
def test_a_space_without_trainable_points_ends_the_search_with_a_reason(algorithm):
    numbers = count()
    refuse_late = {"feasible": lambda point: None if next(numbers) < 2 else "widths: c1 must be lower"}
    with pytest.raises(MimicError) as refusal:
        search(algorithm, rounds=2, trials=2, **refuse_late)
    assert "search conv2-1M-logits" in str(refusal.value)
    assert f"{REFUSALS} points in a row" in str(refusal.value)
    assert "widths: c1 must be lower" in str(refusal.value)


@each_algorithm
def test_a_space_with_fewer_points_than_trials_repeats_some(algorithm):
    tiny = (Dimension("widths.c1", 1, 3, integer=True),)
    proposals, history = search(
        algorithm, 2, 3, lambda p: p["widths.c1"] / 10, dimensions=tiny, default={"widths.c1": 2}
    )
    assert {trial.point["widths.c1"] for trial in history[:3]} == {1, 2, 3}
    assert len(proposals[1].points) == 3


@settings(max_examples=10)
@given(
    algorithm=st.sampled_from(ALGORITHMS),
    trials=st.integers(1, 3),
    errors=st.lists(
        st.none() | st.sampled_from([0.1, 0.9]) | st.integers(0, 10_000).map(lambda n: n / 10_000),
        min_size=10,
        max_size=10,
    ),
    seed=st.integers(0, 2**63 - 1),
)
def test_any_history_leads_to_a_full_round(algorithm, trials, errors, seed):
    points = ask("random", trials=10, seed=seed).points
    history = [Trained(point, e) for point, e in zip(points, errors, strict=True)][: 10 // trials * trials]
    proposal = ask(algorithm, len(history) // trials + 1, trials, history, seed)
    assert len(proposal.points) == trials
    assert all(is_inside(SPACE, point) for point in proposal.points)


def test_a_history_that_is_not_that_of_the_earlier_rounds_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="round 2 follows 3 trials, not 0"):
        ask(round=2)
