"""Intervals over images and seeds: by hand, against theory, and in simulation."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mimic.evaluation.intervals import contrast
from mimic.support.errors import MimicError


def outcomes(seed, *rates, images=10_000):
    """Independent right-or-wrong draws: one row a rate."""
    return np.random.default_rng(seed).random((len(rates), images)) < np.array(rates)[:, None]


def width(interval):
    return interval.high - interval.low


@pytest.mark.parametrize(("right", "confidence", "z"), [(9_000, 0.95, 1.95996), (7_000, 0.9, 1.64485)])
def test_one_seed_gives_the_normal_interval_of_a_proportion(right, confidence, z):
    interval = contrast([(1, np.arange(10_000)[None] < right)], confidence)
    p = right / 10_000
    half = z * sqrt(p * (1 - p) / 10_000)
    assert (interval.mean, interval.low, interval.high) == pytest.approx((p, p - half, p + half), rel=1e-4)
    assert interval.seeds == 1


def test_two_seeds_by_hand():
    """Of 4 images the seeds get 3 and 1 right."""
    interval = contrast([(1, np.array([[1, 1, 1, 0], [1, 0, 0, 0]], bool))], 0.95)
    images = np.var([1, 0.5, 0.5, 0], ddof=1) / 4  # of the mean over seeds: 1/6 over 4
    seeds = np.var([0.75, 0.25], ddof=1) / 2  # 1/8 over 2
    residuals = np.array([-0.25, 0.25, 0.25, -0.25])  # of the first seed; the other's have the other sign
    interaction = 2 * (residuals**2).sum() / 3 / (4 * 2)
    variance = images + seeds - interaction
    freedom = variance**2 / (images**2 / 3 + seeds**2 / 1)
    assert interval.mean == 0.5
    assert interval.error == pytest.approx(sqrt(variance))
    assert interval.freedom == pytest.approx(freedom)
    assert interval.high - 0.5 == pytest.approx(stats.t.ppf(0.975, freedom) * sqrt(variance))


def test_seeds_that_differ_no_more_than_their_images_make_them_add_nothing():
    alike = outcomes(1, 0.8, 0.8, 0.8)
    interval = contrast([(1, alike)], 0.95)
    assert interval.error == pytest.approx(sqrt(np.var(alike.mean(axis=0), ddof=1) / 10_000), rel=0.3)


def study(random, seeds, spread, images, truth=0.0):
    """Two models whose seeds differ by `spread`, on images of a common difficulty, `truth` apart."""
    difficulty_N = random.normal(size=images)
    cells = []
    for rate in (0.85 + truth, 0.85):
        rates_S1 = stats.norm.ppf(rate + spread * random.normal(size=(seeds, 1))) * sqrt(2)
        cells.append(rates_S1 - difficulty_N > random.normal(size=(seeds, images)))
    return contrast([(1, cells[0]), (-1, cells[1])], 0.95)


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("spread", [0.0, 0.002, 0.004])
def test_intervals_cover_the_truth_as_often_as_they_promise(seeds, spread):
    random, studies = np.random.default_rng(seeds), 400
    found = [study(random, seeds, spread, images=2000) for _ in range(studies)]
    covered = np.mean([interval.low <= 0 <= interval.high for interval in found])
    assert covered > 0.95 - 3 * sqrt(0.95 * 0.05 / studies)
    assert covered < 0.995  # nor far wider than they need be


def test_a_difference_that_can_be_detected_is_seen_four_times_in_five():
    random, studies = np.random.default_rng(1), 300
    detectable = np.mean([study(random, 3, 0.002, images=2000).detectable for _ in range(40)])
    seen = [study(random, 3, 0.002, 2000, truth=detectable).low > 0 for _ in range(studies)]
    assert np.mean(seen) == pytest.approx(0.8, abs=0.1)


def test_pairing_narrows_the_interval_of_models_that_err_alike():
    correct_A_SN = outcomes(1, 0.8)
    correct_B_SN = correct_A_SN ^ outcomes(2, 0.02)
    paired = width(contrast([(1, correct_A_SN), (-1, correct_B_SN)], 0.95))
    assert paired < 0.5 * np.hypot(*(width(contrast([(1, c)], 0.95)) for c in (correct_A_SN, correct_B_SN)))


def test_weights_and_numbers_of_seeds_may_differ():
    interval = contrast([(0.5, outcomes(1, 0.9)), (0.5, outcomes(2, 0.8, 0.8)), (-1, outcomes(3, 0.7))], 0.9)
    assert interval.low < 0.15 < interval.high
    assert interval.seeds == 1


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_a_difference_changes_sign_with_its_sides(seed):
    correct_A_SN, correct_B_SN = outcomes(seed, 0.8, 0.7, images=50), outcomes(seed + 1, 0.6, images=50)
    forth = contrast([(1, correct_A_SN), (-1, correct_B_SN)], 0.9)
    back = contrast([(-1, correct_A_SN), (1, correct_B_SN)], 0.9)
    assert (back.mean, back.low, back.high) == pytest.approx((-forth.mean, -forth.high, -forth.low))
    assert forth.chance_below(0.1) == pytest.approx(1 - back.chance_below(-0.1))


def test_the_p_value_is_that_of_the_interval():
    interval = contrast([(1, outcomes(1, 0.8, 0.78, 0.81))], 0.95)
    assert interval.chance_below(interval.high) == pytest.approx(0.025)
    assert interval.chance_below(interval.low) == pytest.approx(0.975)


@pytest.mark.parametrize(("correct", "expected"), [(True, 1.0), (False, 0.0)])
@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (1, 100), (3, 100)])
def test_where_nothing_varies_the_interval_is_a_point(shape, correct, expected):
    interval = contrast([(1, np.full(shape, correct))], 0.95)
    assert (interval.mean, interval.low, interval.high) == (expected, expected, expected)
    assert interval.chance_below(0.5) == expected


def test_models_tested_on_different_images_are_not_compared():
    with pytest.raises(MimicError, match="same test images for all models, not 9 and 10"):
        contrast([(1, np.ones((1, 10), bool)), (-1, np.ones((1, 9), bool))], 0.95)
