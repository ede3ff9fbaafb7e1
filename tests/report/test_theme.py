from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimic.report.charts.theme import spread

POSITIONS = st.lists(st.floats(-100, 100), min_size=1, max_size=12)


@given(POSITIONS, st.floats(0.1, 10))
def test_labels_keep_their_order_and_their_distance(positions, gap):
    moved = spread(positions, gap)
    ordered = [moved[index] for index in sorted(range(len(positions)), key=lambda index: positions[index])]
    assert all(after - before >= gap - 1e-6 for before, after in pairwise(ordered))


@given(POSITIONS, st.floats(0.1, 10))
def test_labels_stay_centred_on_what_they_name(positions, gap):
    assert sum(spread(positions, gap)) == pytest.approx(sum(positions), abs=1e-6)


def test_labels_that_are_apart_do_not_move():
    assert spread([1.0, 9.0, 5.0], 2.0) == [1.0, 9.0, 5.0]


def test_two_labels_at_one_place_move_apart_evenly():
    assert spread([5.0, 5.0], 2.0) == [4.0, 6.0]
