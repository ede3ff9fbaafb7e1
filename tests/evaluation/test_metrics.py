"""Metrics against values worked out by hand, and the properties that define them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mimic.evaluation.metrics import (
    accuracy,
    agreement,
    disagreements,
    divergence,
    ece,
    kl,
    log_softmax,
    nll,
)

# Probabilities of three classes for four images; logits are their logarithms, so softmax gives them back.
PROBABILITIES_NK = np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.25, 0.25, 0.5], [0.6, 0.2, 0.2]])
LOGITS_NK = np.log(PROBABILITIES_NK)
LABELS_N = np.array([0, 1, 0, 0])  # the third image is predicted as 2, wrongly

logits = arrays(np.float64, (6, 4), elements=st.floats(-20, 20))
labels = arrays(np.int64, 6, elements=st.integers(0, 3))


def test_three_of_four_are_right():
    assert accuracy(LOGITS_NK, LABELS_N) == 0.75


def test_of_equal_logits_the_first_class_is_predicted():
    assert accuracy(np.zeros((2, 3)), np.array([0, 1])) == 0.5


def test_nll_by_hand():
    # -(log 1/2 + log 4/5 + log 1/4 + log 3/5) / 4 = -log(0.06) / 4
    assert nll(LOGITS_NK, LABELS_N) == pytest.approx(-np.log(0.06) / 4)


def test_large_logits_neither_overflow_nor_vanish():
    assert nll(np.array([[1000.0, 0.0]], np.float32), np.array([1])) == pytest.approx(1000.0)
    assert nll(np.array([[-1e4, -1e4]], np.float32), np.array([0])) == pytest.approx(np.log(2))


def test_ece_by_hand():
    # Confidences 0.5, 0.8, 0.5, 0.6; right, right, wrong, right. Two bins: (0, 1/2] and (1/2, 1].
    #   first:  images 1 and 3, confidence 0.5, accuracy 1/2: no error
    #   second: images 2 and 4, confidence 0.7, accuracy 1: error 0.3, weight 2/4
    assert ece(LOGITS_NK, LABELS_N, bins=2) == pytest.approx(0.15)
    # One bin: mean confidence 0.6, accuracy 0.75.
    assert ece(LOGITS_NK, LABELS_N, bins=1) == pytest.approx(0.15)
    # Four bins: (1/4, 1/2] as before; (1/2, 3/4] image 4, error 0.4; (3/4, 1] image 2, error 0.2.
    assert ece(LOGITS_NK, LABELS_N, bins=4) == pytest.approx((0.4 + 0.2) / 4)


def test_a_confidence_on_an_edge_belongs_to_the_bin_below():
    # Confidence 1/2 and right, confidence 1 and wrong. With 1/2 in (0, 1/2] each has a bin of its own:
    # (|1 - 1/2| + |0 - 1|) / 2 = 3/4. In one bin they would make |1 - 3/2| / 2 = 1/4.
    logits_NK = np.array([[0.0, 0.0], [0.0, 800.0]])
    assert ece(logits_NK, np.array([0, 0]), bins=2) == pytest.approx(0.75)


def test_predictions_right_as_often_as_they_claim_are_calibrated():
    random = np.random.default_rng(1)
    probabilities_NK = random.dirichlet([0.5] * 5, size=40_000)
    drawn_N = (probabilities_NK.cumsum(axis=1) < random.random((40_000, 1))).sum(axis=1).clip(max=4)
    calibrated_NK = np.log(probabilities_NK.clip(1e-30))
    # Each of 15 bins misses by about sqrt(p (1-p) / n) < sqrt(0.25 * 15 / 40000) = 0.0097.
    assert ece(calibrated_NK, drawn_N) < 0.01
    assert ece(3 * calibrated_NK, drawn_N) > 0.1


def test_agreement_by_hand():
    reference_NK = np.eye(3)[[0, 1, 0, 0]]  # the third differs
    assert agreement(LOGITS_NK, reference_NK) == 0.75


def test_kl_by_hand_and_its_direction():
    # Reference (1/2, 1/2), model (3/4, 1/4):
    #   KL(reference || model) = 1/2 log(2/3) + 1/2 log 2 = 1/2 log(4/3)
    #   KL(model || reference) = 3/4 log(3/2) + 1/4 log(1/2)
    reference_NK, model_NK = np.log([[0.5, 0.5]]), np.log([[0.75, 0.25]])
    assert kl(model_NK, reference_NK) == pytest.approx(np.log(4 / 3) / 2)
    assert kl(reference_NK, model_NK) == pytest.approx(0.75 * np.log(1.5) + 0.25 * np.log(0.5))


def test_the_images_in_dispute_by_hand():
    reference_NK = np.log([[0.8, 0.2], [0.6, 0.4], [0.9, 0.1], [0.9, 0.1]])
    model_NK = np.log([[0.4, 0.6], [0.1, 0.9], [0.6, 0.4], [0.2, 0.8]])
    # The third is no dispute; KL of the others: 0.8 log 2 + 0.2 log(1/3) = 0.335, 0.751, 1.146.
    assert disagreements(model_NK, reference_NK, 8).tolist() == [3, 1, 0]
    assert disagreements(model_NK, reference_NK, 2).tolist() == [3, 1]
    assert divergence(model_NK, reference_NK)[0] == pytest.approx(0.8 * np.log(2) - 0.2 * np.log(3))
    assert not disagreements(model_NK, model_NK, 8).size


@given(logits, arrays(np.float64, (6, 1), elements=st.floats(-100, 100)))
def test_softmax_sums_to_one_whatever_is_added_to_an_images_logits(logits_NK, shift_N1):
    np.testing.assert_allclose(np.exp(log_softmax(logits_NK + shift_N1)).sum(axis=1), 1)
    np.testing.assert_allclose(log_softmax(logits_NK + shift_N1), log_softmax(logits_NK), atol=1e-9)


@given(
    arrays(np.int64, (6, 4), elements=st.integers(-9, 9)),
    labels,
    arrays(np.int64, (6, 1), elements=st.integers(-9, 9)),
)
def test_a_shift_of_an_images_logits_changes_no_prediction(logits_NK, labels_N, shift_N1):
    assert accuracy(logits_NK + shift_N1, labels_N) == accuracy(logits_NK, labels_N)
    assert agreement(logits_NK + shift_N1, logits_NK) == 1


@given(logits, logits)
def test_kl_is_never_negative_and_bounds_the_distance_of_the_probabilities(logits_NK, reference_NK):
    divergence = kl(logits_NK, reference_NK)
    distance_N = np.abs(np.exp(log_softmax(logits_NK)) - np.exp(log_softmax(reference_NK))).sum(axis=1)
    # Pinsker's inequality: zero only where the probabilities are equal.
    assert divergence >= (distance_N**2).mean() / 2 - 1e-12
    assert divergence >= 0


@given(logits, arrays(np.float64, (6, 1), elements=st.floats(-100, 100)))
def test_kl_of_logits_equal_up_to_a_shift_is_zero(logits_NK, shift_N1):
    assert kl(logits_NK + shift_N1, logits_NK) == pytest.approx(0, abs=1e-9)


@given(logits, logits, labels, st.integers(1, 5))
def test_means_over_batches_are_the_mean_over_all(logits_NK, reference_NK, labels_N, split):
    for metric, other in (
        (accuracy, labels_N),
        (nll, labels_N),
        (agreement, reference_NK),
        (kl, reference_NK),
    ):
        first, second = metric(logits_NK[:split], other[:split]), metric(logits_NK[split:], other[split:])
        assert metric(logits_NK, other) == pytest.approx(
            (split * first + (6 - split) * second) / 6, abs=1e-12
        )


@given(logits, labels, st.permutations(range(6)))
def test_the_order_of_the_images_plays_no_part(logits_NK, labels_N, order):
    assert ece(logits_NK[order], labels_N[order]) == pytest.approx(ece(logits_NK, labels_N), abs=1e-12)


@given(logits, labels)
def test_float32_logits_give_what_their_float64_copies_give(logits_NK, labels_N):
    single_NK = logits_NK.astype(np.float32)
    assert nll(single_NK, labels_N) == nll(single_NK.astype(np.float64), labels_N)
    assert ece(single_NK, labels_N) == ece(single_NK.astype(np.float64), labels_N)
