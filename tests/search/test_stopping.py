from hypothesis import given
from hypothesis import strategies as st

from mimic.search.stopping import Course, limits

errors = st.lists(st.floats(0, 1), max_size=8).map(tuple)
courses = st.lists(st.builds(Course, errors, st.booleans()), min_size=1, max_size=9)


def test_the_limit_is_the_median_of_the_best_errors_so_far():
    earlier = [Course((0.9, 0.5, 0.6)), Course((0.8, 0.7, 0.4)), Course((0.7, 0.9, 0.8))]
    assert limits([1, 2, 3], earlier) == {1: 0.8, 2: 0.7, 3: 0.5}


def test_a_trial_that_ended_before_counts_with_what_it_had_reached():
    assert limits([4], [Course((0.9, 0.5)), Course((0.9, 0.8, 0.7, 0.4)), Course((0.6,))]) == {4: 0.5}


def test_a_trial_that_diverged_is_bad_at_every_epoch():
    assert limits([1, 9], [Course((0.3,), diverged=True), Course((0.5,)), Course((0.6,))]) == {1: 0.6, 9: 0.6}


def test_nothing_is_stopped_in_the_first_round():
    assert limits([1, 2], []) == {}


def test_courses_are_read_from_histories_and_records():
    history = [{"epoch": 1, "validation_error": 0.4}, {"epoch": 2, "validation_error": 0.3}]
    assert Course.of(history, "finished") == Course((0.4, 0.3))
    assert Course.of(history, "diverged").diverged


@given(courses, st.sets(st.integers(1, 10), min_size=1))
def test_limits_fall_with_epochs_and_lie_in_0_to_1(earlier, epochs):
    values = list(limits(tuple(epochs), earlier).values())
    assert values == sorted(values, reverse=True)
    assert all(0 <= value <= 1 for value in values)


@given(courses, st.integers(1, 10))
def test_at_least_half_of_the_earlier_trials_would_have_gone_on(earlier, epoch):
    limit = limits([epoch], earlier)[epoch]
    assert sum(course.best(epoch) <= limit for course in earlier) >= len(earlier) / 2
