from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mimic.plan.schedule import longest_chain, wall_time

#   a 1 ── c 5 ──┐
#   b 2 ── d 1 ── e 1      f 6 stands alone
BY_HAND = (
    {"a": (), "b": (), "f": (), "c": ("a",), "d": ("b",), "e": ("c", "d")},
    {"a": 1, "b": 2, "f": 6, "c": 5, "d": 1, "e": 1},
)


def test_longest_chain_by_hand():
    assert longest_chain(*BY_HAND) == ["a", "c", "e"]


def test_wall_time_by_hand():
    assert wall_time(*BY_HAND, 1) == 16
    assert wall_time(*BY_HAND, 2) == 10  # a and c beside f until 6, then b, d, e
    assert wall_time(*BY_HAND, 3) == 7


def test_nothing_takes_no_time():
    assert longest_chain({}, {}) == []
    assert wall_time({}, {}, 3) == 0


@st.composite
def dags(draw):
    dag, seconds = {}, {}
    for number in range(draw(st.integers(1, 12))):
        upstream = draw(st.lists(st.sampled_from(sorted(dag)), max_size=3)) if dag else []
        dag[f"n{number:02d}"], seconds[f"n{number:02d}"] = tuple(upstream), draw(st.integers(0, 9))
    return dag, seconds


@given(dags(), st.integers(1, 5))
def test_wall_time_lies_within_its_bounds(drawn, jobs):
    dag, seconds = drawn
    total = sum(seconds.values())
    chain = sum(seconds[name] for name in longest_chain(dag, seconds))
    wall = wall_time(dag, seconds, jobs)
    assert max(chain, total / jobs) <= wall <= total / jobs + chain  # the right: Graham, 1966
    assert wall_time(dag, seconds, 1) == total
    assert wall_time(dag, seconds, len(dag)) == chain


@given(dags())
def test_the_longest_chain_is_a_chain(drawn):
    dag, _ = drawn
    for before, after in pairwise(longest_chain(*drawn)):
        assert before in dag[after]
