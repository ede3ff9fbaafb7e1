"""What sets one sampler apart; what holds for all is in test_propose.py."""

from itertools import chain

import numpy as np
import pytest

from mimic.engine.keys import code_of
from mimic.search.points import Dimension
from mimic.search.propose import propose
from mimic.search.round import Trained
from mimic.search.samplers.cmaes import CMAES
from mimic.search.samplers.gp import GP
from mimic.search.samplers.random import Random
from mimic.search.samplers.sobol import Sobol
from mimic.search.samplers.tpe import TPE
from mimic.support.frozen import Frozen, asked
from mimic.support.parts import kind, parts_of

LINE = (Dimension("x", 0, 1),)
PLANE = (Dimension("x", 0, 1), Dimension("y", 0, 1))
SAMPLERS = parts_of("mimic.search.samplers")
EACH = pytest.mark.parametrize("part", SAMPLERS, ids=kind)


def search(sampler, rounds, trials, space=PLANE, feasible=lambda point: None):
    """The points of each round; the nearer to 0.7 everywhere, the better."""
    default, history, points = {d.name: 0.5 for d in space}, [], []
    for number in range(1, rounds + 1):
        found = propose("test", space, sampler, 1, number, trials, history, default, feasible).points
        history += [Trained(point, sum(abs(x - 0.7) for x in point.values())) for point in found]
        points.append([tuple(point.values()) for point in found])
    return points


@EACH
def test_options_that_are_off_leave_no_trace(part):
    assert asked(part()) == {"kind": kind(part)}


def test_which_samplers_claims_of_bayesian_optimisation_are_about():
    assert {part for part in SAMPLERS if part.is_bayesian} == {GP, TPE}


@EACH
def test_a_proposal_s_key_has_the_code_of_its_own_sampler(part):
    class Asks(Frozen):
        algorithm: part = part()

    others = {other.__module__ for other in SAMPLERS} - {part.__module__}
    code = code_of("proposal", Asks())
    assert part.__module__ in code and not others & set(code)
    assert ("mimic.search.optuna_model" in code) == part.is_bayesian
    assert part.__module__ not in code_of("selection", Asks())


def test_sobol_is_one_sequence_through_all_rounds():
    """Its first eight points lie in the eight eighths of a line, however they are divided into rounds."""
    for rounds, trials in ((3, 3), (9, 1), (1, 9)):
        _, *points = chain.from_iterable(search(Sobol(), rounds, trials, LINE))
        eighths = [int(8 * x) for (x,) in points]
        assert sorted(eighths) == list(range(8)), (rounds, trials)


def test_what_is_refused_leaves_the_rest_of_the_sequence_as_it_was():
    def is_even(point):
        return round(1e4 * point[0]) % 2 == 0

    def refuse(point):
        return None if is_even((point["x"],)) else "odd"

    whole, divided = (
        list(chain.from_iterable(search(Sobol(), 3, 4, **options))) for options in ({}, {"feasible": refuse})
    )
    kept = set(filter(is_even, whole))
    assert len(kept) > 3 and kept <= set(divided)
    assert len(set(divided)) == 12 and all(map(is_even, divided))


@pytest.mark.parametrize(("sigma", "least", "most"), [(0.001, 0, 0.01), (0.5, 0.2, 1)])
def test_cmaes_departs_from_the_best_by_sigma(sigma, least, most):
    first, second = search(CMAES(sigma=sigma), 2, 8)
    best = min(first, key=lambda point: sum(abs(x - 0.7) for x in point))
    assert least <= np.ptp(np.array(second) - best, axis=0).max() <= most


def test_tpe_with_a_density_for_each_proposes_otherwise():
    one, each = search(TPE(), 2, 4), search(TPE(independent=True), 2, 4)
    assert one[0] == each[0] and one[1] != each[1]


def test_in_the_first_round_those_that_learn_try_the_same_points():
    gp, tpe, cmaes, random = (search(sampler, 1, 5) for sampler in (GP(), TPE(), CMAES(), Random()))
    assert gp == tpe == cmaes != random
