"""Bootstrap intervals: against theory, against a plain bootstrap, and in simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mimic.evaluation.bootstrap import accuracy_interval, difference_interval
from mimic.support.errors import MimicError


def width(interval):
    return interval.high - interval.low


def outcomes(seed, *rates, images=10_000):
    """Independent right-or-wrong draws: one row a rate."""
    return np.random.default_rng(seed).random((len(rates), images)) < np.array(rates)[:, None]


@pytest.mark.parametrize(("right", "confidence", "z"), [(9_000, 0.95, 1.95996), (7_000, 0.9, 1.64485)])
def test_one_seed_gives_the_normal_interval_of_a_proportion(right, confidence, z):
    correct_SN = np.arange(10_000)[None] < right
    interval = accuracy_interval(correct_SN, 20_000, confidence, seed=1)
    p = right / 10_000
    half = z * np.sqrt(p * (1 - p) / 10_000)
    assert interval.mean == pytest.approx(p)
    # A quantile of 20,000 resamples is uncertain by about 2 % of the half-width.
    assert interval.low == pytest.approx(p - half, abs=0.05 * half)
    assert interval.high == pytest.approx(p + half, abs=0.05 * half)


def plain_bootstrap(correct_A_SN, correct_B_SN, resamples, confidence):
    """The definition: draw images by index, and each model's seeds by index."""
    random = np.random.default_rng(0)
    images = correct_A_SN.shape[1]
    differences = []
    for _ in range(resamples):
        chosen_N = random.integers(images, size=images)
        means = []
        for correct_SN in (correct_A_SN, correct_B_SN):
            chosen_S = random.integers(len(correct_SN), size=len(correct_SN))
            means.append(correct_SN[chosen_S][:, chosen_N].mean())
        differences.append(means[0] - means[1])
    return np.quantile(differences, [(1 - confidence) / 2, (1 + confidence) / 2])


def test_drawing_patterns_equals_drawing_images_one_by_one():
    correct_A_SN, correct_B_SN = outcomes(1, 0.7, 0.8, 0.75, images=60), outcomes(2, 0.6, 0.5, images=60)
    interval = difference_interval(correct_A_SN, correct_B_SN, 20_000, 0.9, seed=1)
    low, high = plain_bootstrap(correct_A_SN, correct_B_SN, 20_000, 0.9)
    assert interval.low == pytest.approx(low, abs=0.01)
    assert interval.high == pytest.approx(high, abs=0.01)


def test_intervals_cover_the_truth_as_often_as_they_promise():
    truth, studies = 0.85, 400
    intervals = [accuracy_interval(outcomes(s, truth, images=500), 400, 0.9, seed=s) for s in range(studies)]
    coverage = np.mean([i.low <= truth <= i.high for i in intervals])
    assert coverage == pytest.approx(0.9, abs=0.045)  # 3 standard errors of 400 studies


def test_intervals_of_a_difference_cover_the_truth_as_often_as_they_promise():
    def covered(study):
        # A tenth of A's outcomes is turned round: B is right on 0.9 * 0.8 + 0.1 * 0.2 = 0.74 of the images.
        correct_A_SN = outcomes(study, 0.8, images=500)
        correct_B_SN = correct_A_SN ^ outcomes(10_000 + study, 0.1, images=500)
        interval = difference_interval(correct_A_SN, correct_B_SN, 400, 0.9, seed=study)
        return interval.low <= 0.8 - 0.74 <= interval.high

    assert np.mean([covered(study) for study in range(400)]) == pytest.approx(0.9, abs=0.045)


def test_pairing_narrows_the_interval_of_models_that_err_alike():
    correct_A_SN = outcomes(1, 0.8)
    correct_B_SN = correct_A_SN ^ outcomes(2, 0.02)
    paired = width(difference_interval(correct_A_SN, correct_B_SN, 2000, 0.95, seed=1))
    alone = [width(accuracy_interval(c, 2000, 0.95, seed=1)) for c in (correct_A_SN, correct_B_SN)]
    assert paired < 0.5 * np.hypot(*alone)


def test_pairing_changes_nothing_for_models_that_err_independently():
    correct_A_SN, correct_B_SN = outcomes(1, 0.8), outcomes(2, 0.7)
    paired = width(difference_interval(correct_A_SN, correct_B_SN, 20_000, 0.95, seed=1))
    alone = [width(accuracy_interval(c, 20_000, 0.95, seed=1)) for c in (correct_A_SN, correct_B_SN)]
    assert paired == pytest.approx(np.hypot(*alone), rel=0.05)


def test_seeds_that_differ_widen_the_interval():
    alike, apart = outcomes(1, 0.8, 0.8, 0.8, 0.8), outcomes(1, 0.7, 0.75, 0.85, 0.9)
    assert width(accuracy_interval(apart, 2000, 0.95, seed=1)) > 3 * width(
        accuracy_interval(alike, 2000, 0.95, seed=1)
    )


def test_the_two_models_may_have_different_numbers_of_seeds():
    interval = difference_interval(outcomes(1, 0.9), outcomes(2, 0.8, 0.82, 0.78), 2000, 0.95, seed=1)
    assert interval.low < 0.1 < interval.high


def test_the_seeds_of_one_model_have_nothing_to_do_with_those_of_the_other():
    # In both models one seed is always right, one always wrong. Drawn apart, in 1 of 16 resamples A has the
    # right one twice and B the wrong one twice, or the reverse: more often than the 2.5 % beyond each bound.
    correct_SN = np.array([[True] * 10, [False] * 10])
    interval = difference_interval(correct_SN, correct_SN, 2000, 0.95, seed=1)
    assert (interval.mean, interval.low, interval.high) == (0, -1, 1)


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_a_difference_changes_sign_with_its_sides(seed):
    correct_A_SN, correct_B_SN = outcomes(seed, 0.8, images=50), outcomes(seed + 1, 0.6, images=50)
    forth = difference_interval(correct_A_SN, correct_B_SN, 4000, 0.9, seed=1)
    back = difference_interval(correct_B_SN, correct_A_SN, 4000, 0.9, seed=1)
    assert back.mean == -forth.mean
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low), abs=0.025)
    assert forth.low <= forth.mean <= forth.high


def test_a_model_does_not_differ_from_itself():
    correct_SN = outcomes(1, 0.8, images=100)
    interval = difference_interval(correct_SN, correct_SN, 500, 0.95, seed=1)
    assert (interval.mean, interval.low, interval.high) == (0, 0, 0)


@pytest.mark.parametrize(("correct", "expected"), [(True, 1.0), (False, 0.0)])
@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (1, 100), (3, 100)])
def test_where_nothing_varies_the_interval_is_a_point(shape, correct, expected):
    interval = accuracy_interval(np.full(shape, correct), 200, 0.95, seed=1)
    assert (interval.mean, interval.low, interval.high) == (expected, expected, expected)


def test_one_image_on_which_seeds_differ():
    # Two seeds, one right: resampled accuracies are 0, 1/2 and 1 with probabilities 1/4, 1/2 and 1/4.
    interval = accuracy_interval(np.array([[True], [False]]), 2000, 0.95, seed=1)
    assert (interval.mean, interval.low, interval.high) == (0.5, 0.0, 1.0)


def test_the_seed_decides_the_resamples_and_the_block_size_does_not(monkeypatch):
    correct_SN = outcomes(1, 0.8, 0.7, 0.6, images=1000)
    interval = accuracy_interval(correct_SN, 500, 0.95, seed=1)
    assert accuracy_interval(correct_SN, 500, 0.95, seed=2) != interval
    monkeypatch.setattr("mimic.evaluation.bootstrap.BLOCK", 64)
    assert accuracy_interval(correct_SN, 500, 0.95, seed=1) == interval


def test_a_larger_confidence_gives_a_wider_interval():
    correct_SN = outcomes(1, 0.8, images=1000)
    assert width(accuracy_interval(correct_SN, 2000, 0.99, 1)) > width(
        accuracy_interval(correct_SN, 2000, 0.9, 1)
    )


def test_models_tested_on_different_images_are_not_compared():
    with pytest.raises(MimicError, match="same test images for both models, not 10 and 9"):
        difference_interval(np.ones((1, 10), bool), np.ones((1, 9), bool), 100, 0.95, seed=1)


def test_the_contrast_of_two_gains_by_hand():
    # A gains on half of the images and loses on none, B gains and loses as often: 1/2 - 0.
    gain_A_SN = np.array([[1, 1, 0, 0]], np.int8).repeat(500, axis=1)
    gain_B_SN = np.array([[1, -1, 1, -1]], np.int8).repeat(500, axis=1)
    interval = difference_interval(gain_A_SN, gain_B_SN, 2000, 0.95, seed=1)
    # The difference is 0, 2, -1 or 1 with equal chances: variance 1.5 - 0.25 = 1.25.
    half = 1.96 * np.sqrt(1.25 / 2000)
    assert interval.mean == 0.5
    assert interval.low == pytest.approx(0.5 - half, abs=0.1 * half)
    assert interval.high == pytest.approx(0.5 + half, abs=0.1 * half)
