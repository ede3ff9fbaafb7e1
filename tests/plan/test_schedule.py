from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mimic.plan.schedule import Node, longest_chain, wall_time

#   a 1 ── c 5 ──┐
#   b 2 ── d 1 ── e 1      f 6 stands alone
BY_HAND = {
    "a": Node(1, ()),
    "b": Node(2, ()),
    "f": Node(6, ()),
    "c": Node(5, ("a",)),
    "d": Node(1, ("b",)),
    "e": Node(1, ("c", "d")),
}


def test_longest_chain_by_hand():
    assert longest_chain(BY_HAND) == ["a", "c", "e"]


def test_wall_time_by_hand():
    assert wall_time(BY_HAND, 1) == 16
    assert wall_time(BY_HAND, 2) == 10  # a and c beside f until 6, then b, d, e
    assert wall_time(BY_HAND, 3) == 7


def test_nothing_takes_no_time():
    assert longest_chain({}) == []
    assert wall_time({}, 3) == 0


@st.composite
def dags(draw):
    dag = {}
    for number in range(draw(st.integers(1, 12))):
        upstream = draw(st.lists(st.sampled_from(sorted(dag)), max_size=3)) if dag else []
        dag[f"n{number:02d}"] = Node(draw(st.integers(0, 9)), tuple(upstream))
    return dag


@given(dags(), st.integers(1, 5))
def test_wall_time_lies_within_its_bounds(dag, jobs):
    total = sum(node.seconds for node in dag.values())
    chain = sum(dag[name].seconds for name in longest_chain(dag))
    wall = wall_time(dag, jobs)
    assert max(chain, total / jobs) <= wall <= total / jobs + chain  # the right: Graham, 1966
    assert wall_time(dag, 1) == total
    assert wall_time(dag, len(dag)) == chain


@given(dags())
def test_the_longest_chain_is_a_chain(dag):
    chain = longest_chain(dag)
    for before, after in pairwise(chain):
        assert before in dag[after].upstream
