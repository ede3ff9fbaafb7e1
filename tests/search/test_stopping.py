from hypothesis import given
from hypothesis import strategies as st

from mimic.search.stopping import limits

DIVERGED = ()
errors = st.lists(st.floats(0, 1), max_size=8)
courses = st.lists(errors, min_size=1, max_size=9)


def test_the_limit_is_the_median_of_the_best_errors_so_far():
    earlier = [(0.9, 0.5, 0.6), (0.8, 0.7, 0.4), (0.7, 0.9, 0.8)]
    assert limits([1, 2, 3], earlier) == {1: 0.8, 2: 0.7, 3: 0.5}


def test_a_trial_that_ended_before_counts_with_what_it_had_reached():
    assert limits([4], [(0.9, 0.5), (0.9, 0.8, 0.7, 0.4), (0.6,)]) == {4: 0.5}


def test_a_trial_that_diverged_is_bad_at_every_epoch():
    assert limits([1, 9], [DIVERGED, (0.5,), (0.6,)]) == {1: 0.6, 9: 0.6}


def test_nothing_is_stopped_in_the_first_round():
    assert limits([1, 2], []) == {}


@given(courses, st.sets(st.integers(1, 10), min_size=1))
def test_limits_fall_with_epochs_and_lie_in_0_to_1(earlier, epochs):
    values = list(limits(tuple(epochs), earlier).values())
    assert values == sorted(values, reverse=True)
    assert all(0 <= value <= 1 for value in values)


@given(courses, st.integers(1, 10))
def test_at_least_half_of_the_earlier_trials_would_have_gone_on(earlier, epoch):
    limit = limits([epoch], earlier)[epoch]
    assert sum(min(course[:epoch], default=1) <= limit for course in earlier) >= len(earlier) / 2
