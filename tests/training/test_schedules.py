import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimic.training.schedules.one_cycle import OneCycle
from mimic.training.schedules.patience import Patience

PAPER = Patience()


def trace(parameters: Patience, errors, peak: float = 1.0) -> list[tuple[float, str | None]]:
    """The rate in each epoch, and what the schedule says after it; ends when training does."""
    schedule, seen = parameters.start(peak, steps_per_epoch=1), []
    for epoch, error in enumerate(errors):
        rate = schedule.rate(epoch)
        seen.append((rate, schedule.after_epoch(error)))
        if seen[-1][1]:
            break
    return seen


def test_one_cycle_by_hand():
    schedule = OneCycle(epochs=2, warmup=0.2).start(peak=2.0, steps_per_epoch=5)
    # Midpoints of ten steps: two on the way up, then (1 + cos) / 2 of 11.25, 33.75, ... degrees.
    falling = [0.990393, 0.915735, 0.777785, 0.597545, 0.402455, 0.222215, 0.084265, 0.009607]
    expected = [2 * rate for rate in (0.25, 0.75, *falling)]
    assert [schedule.rate(step) for step in range(10)] == pytest.approx(expected, abs=2e-6)
    assert [schedule.after_epoch(0.5), schedule.after_epoch(0.9)] == [None, "budget"]
    assert OneCycle(epochs=2).planned_epochs == 2


@given(
    epochs=st.integers(1, 50),
    steps=st.integers(1, 50),
    warmup=st.floats(0, 0.95),
    peak=st.floats(1e-4, 10),
)
def test_one_cycle_rises_once_and_falls_once_and_never_wastes_a_step(epochs, steps, warmup, peak):
    schedule = OneCycle(epochs=epochs, warmup=warmup).start(peak, steps)
    rates = [schedule.rate(step) for step in range(epochs * steps)]
    assert all(0 < rate <= peak * (1 + 1e-12) for rate in rates)
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)


def test_patience_by_hand():
    parameters = Patience(patience=2, cooldown=3, stop=7, max_cut=100.0)
    errors_and_rates = [
        (0.50, 1.0),
        (0.50, 1.0),  # as low as before is no drop
        (0.60, 1.0),  # the second epoch without a drop: halved after it
        (0.55, 0.5),
        (0.55, 0.5),  # cooling down
        (0.40, 0.5),  # a drop, at the end of the cooldown
        (0.45, 0.5),
        (0.45, 0.5),  # halved
        (0.45, 0.25),
        (0.45, 0.25),
        (0.45, 0.25),  # halved again: three epochs at this rate
        (0.45, 0.125),
        (0.45, 0.125),  # the seventh epoch without a drop: the end
        (0.10, 0.125),
    ]
    expected = [(rate, None) for _, rate in errors_and_rates[:12]] + [(0.125, "patience")]
    assert trace(parameters, [error for error, _ in errors_and_rates]) == expected


def test_the_papers_schedule_on_an_error_that_never_drops():
    seen = trace(PAPER, [0.5] * 100, peak=0.04)
    # Without a drop since epoch 1: cuts after 10, 18 and 26 such epochs, the end after 30.
    assert [rate for rate, _ in seen] == [0.04] * 11 + [0.02] * 8 + [0.01] * 8 + [0.005] * 4
    assert seen[-1][1] == "patience"


def test_the_papers_schedule_ends_when_the_rate_was_cut_by_more_than_2000():
    # A drop every 29 epochs averts the end; three cuts between drops; the eleventh makes 2048.
    seen = trace(PAPER, [1 / (2 + epoch // 29) for epoch in range(200)])
    assert len(seen) == 1 + 3 * 29 + 18
    assert seen[-1] == (1 / 1024, "max_cut")


def test_a_rate_cut_by_just_as_much_as_allowed_goes_on():
    seen = trace(Patience(patience=1, cooldown=0, max_cut=4.0), [0.5] * 10)
    assert seen == [(1.0, None), (1.0, None), (1 / 2, None), (1 / 4, "max_cut")]


def test_patience_has_a_bound_of_epochs():
    seen = trace(Patience(max_epochs=5), [0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    assert [stop for _, stop in seen] == [None] * 4 + ["max_epochs"]


def reference(parameters: Patience, errors: list[float]) -> list[tuple[float, str | None]]:
    """The paper's words, applied to the whole past anew after each epoch."""
    rate, cut_after, seen = 1.0, [], []
    for epoch in range(1, len(errors) + 1):
        past = errors[:epoch]
        without_drop = epoch - 1 - past.index(min(past))
        used = rate
        recent_cut = any(epoch - cut < parameters.cooldown for cut in cut_after)
        if without_drop >= parameters.patience and not recent_cut:
            rate, cut_after = rate / 2, [*cut_after, epoch]
        stop = None
        if epoch >= parameters.max_epochs:
            stop = "max_epochs"
        if 1 / rate > parameters.max_cut:
            stop = "max_cut"
        if without_drop >= parameters.stop:
            stop = "patience"
        seen.append((used, stop))
        if stop:
            break
    return seen


patiences = st.builds(
    Patience,
    patience=st.integers(1, 6),
    cooldown=st.integers(0, 6),
    stop=st.integers(1, 12),
    max_cut=st.floats(1.5, 40),
    max_epochs=st.integers(1, 40),
)
error_lists = st.lists(st.integers(0, 5).map(lambda wrong: wrong / 5), min_size=1, max_size=40)


@given(patiences, error_lists)
def test_patience_agrees_with_a_plain_reading(parameters, errors):
    assert trace(parameters, errors) == reference(parameters, errors)


@given(
    st.one_of(patiences, st.builds(OneCycle, epochs=st.integers(1, 40))),
    error_lists,
    st.integers(0, 40),
)
def test_a_schedule_goes_on_from_its_state(parameters, errors, interruption):
    schedule = parameters.start(0.1, steps_per_epoch=3)
    for error in errors[:interruption]:
        schedule.after_epoch(error)
    resumed = parameters.start(0.1, steps_per_epoch=3)
    resumed.restore(json.loads(json.dumps(schedule.state())))
    for epoch, error in enumerate(errors[interruption:], start=interruption):
        assert resumed.rate(3 * epoch) == schedule.rate(3 * epoch)
        assert resumed.after_epoch(error) == schedule.after_epoch(error)
