"""Forward selection: the members a user would get by hand or by a plain search."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mimic.distill.ensemble import select
from mimic.support.errors import MimicError


def right_on(images, size=4, strength=1.0):
    """Two-class logits for images whose label is 1: right on `images`, wrong elsewhere, by `strength`."""
    margins_N = np.where(np.isin(np.arange(size), images), strength, -strength)
    return np.stack([np.zeros(size), margins_N], axis=1).astype(np.float32)


ONES = np.ones(4, np.int64)


def test_the_second_member_is_the_best_partner_not_the_second_best_model():
    # Margins for the label on four images (positive: right). With `best`, the mean margins are
    #   twin:    (1, 1, 1, -1)           -> 3 of 4
    #   partner: (0.25, 0.25, 0.25, 1.5) -> 4 of 4, though alone it is right on one image only
    margins = {"best": (1, 1, 1, -1), "twin": (1, 1, 1, -1), "partner": (-0.5, -0.5, -0.5, 4)}
    logits = {name: np.array([[0, margin] for margin in row], np.float32) for name, row in margins.items()}
    selection = select(logits, ONES, size=2)
    assert selection.members == ("best", "partner")
    assert [score.accuracy for score in selection.trace] == [0.75, 1.0]


def test_equal_accuracy_is_decided_by_nll_and_equal_nll_by_name():
    bold, timid = right_on([0, 1], strength=2.0), right_on([0, 1], strength=0.5)
    # All are right on half the images. A margin m costs log(1 + e^-m) where right, log(1 + e^m) where wrong,
    # together the more the larger m is: so the bold model loses, though its name sorts first.
    selection = select({"a": bold, "z": timid, "y": timid}, ONES, size=1)
    assert selection.members == ("y",)
    assert selection.trace[0].nll == pytest.approx((np.log1p(np.exp(-0.5)) + np.log1p(np.exp(0.5))) / 2)


def test_it_is_the_logits_that_are_averaged_not_the_votes():
    # Two timid models are right by 1, one bold model is wrong by 5: the mean margin is (1 + 1 - 5) / 3 < 0.
    logits = {"a": right_on([0, 1, 2, 3]), "b": right_on([0, 1, 2, 3]), "c": right_on([], strength=5.0)}
    assert [score.accuracy for score in select(logits, ONES, size=3).trace] == [1.0, 1.0, 0.0]


def test_stopping_without_gain_ends_before_the_first_member_that_adds_nothing():
    logits = {"a": right_on([0, 1, 2]), "b": right_on([0, 1, 2]), "c": right_on([0, 1])}
    assert select(logits, ONES, size=3, stop_without_gain=True).members == ("a",)
    assert len(select(logits, ONES, size=3, stop_without_gain=False).members) == 3


def plain_selection(logits, labels_N, size, stop_without_gain):
    """The definition, without shortcuts."""

    def quality(names):
        mean_NK = np.mean([logits[name].astype(np.float64) for name in names], axis=0)
        probability_NK = np.exp(mean_NK) / np.exp(mean_NK).sum(axis=1, keepdims=True)
        right = sum(int(np.argmax(row) == label) for row, label in zip(mean_NK, labels_N, strict=True))
        nll = -np.mean([np.log(row[label]) for row, label in zip(probability_NK, labels_N, strict=True)])
        return right / len(labels_N), nll

    members = []
    while len(members) < size:
        others = [name for name in logits if name not in members]
        best = min(others, key=lambda name: (-quality([*members, name])[0], quality([*members, name])[1]))
        if stop_without_gain and members and quality([*members, best])[0] <= quality(members)[0]:
            break
        members.append(best)
    return members, quality(members)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.booleans())
def test_selection_equals_a_plain_search(seed, size, stop_without_gain):
    random = np.random.default_rng(seed)
    labels_N = random.integers(3, size=12)
    logits = {f"t{i}": random.normal(size=(12, 3)).astype(np.float32) for i in range(6)}
    selection = select(logits, labels_N, size, stop_without_gain)
    members, (accuracy, nll) = plain_selection(logits, labels_N, size, stop_without_gain)
    assert list(selection.members) == members
    assert selection.trace[-1].accuracy == pytest.approx(accuracy)
    assert selection.trace[-1].nll == pytest.approx(nll)


@settings(max_examples=30)
@given(arrays(np.float32, (4, 5, 3), elements=st.floats(-3, 3, width=32)), st.permutations(range(4)))
def test_the_order_in_which_models_are_given_plays_no_part(logits_MNK, order):
    labels_N = np.array([0, 1, 2, 0, 1])
    given_order = select({f"t{i}": logits_MNK[i] for i in range(4)}, labels_N, 3)
    assert select({f"t{i}": logits_MNK[i] for i in order}, labels_N, 3) == given_order


def test_a_diverged_teacher_is_passed_over_and_named():
    broken = right_on([0, 1, 2, 3])
    broken[2, 0] = np.nan
    logits = {"a": right_on([0]), "b": right_on([0, 1]), "nan": broken, "stopped": right_on([0, 1, 2, 3])}
    selection = select(logits, ONES, size=3, diverged={"stopped"})
    assert selection.candidates == ("a", "b")
    assert selection.members == ("b", "a")
    assert selection.note == "only 2 teachers for 3 members; diverged and not considered: nan, stopped"


def test_a_whole_pool_needs_no_note():
    assert select({"a": right_on([0]), "b": right_on([1])}, ONES, size=2).note is None


def test_without_any_converged_teacher_there_is_no_ensemble():
    with pytest.raises(MimicError, match="none of 1 teachers converged"):
        select({"a": np.full((4, 2), np.inf)}, ONES, size=1)


@pytest.mark.parametrize(
    ("shape", "message"),
    [((3, 2), r"teacher b: .* \[3, 2\], not \[4, 2\]"), ((4, 5), r"teacher b: .* \[4, 5\], not \[4, 2\]")],
)
def test_logits_of_other_images_or_classes_are_refused_by_name(shape, message):
    with pytest.raises(MimicError, match=message):
        select({"a": right_on([0]), "b": np.zeros(shape)}, ONES, size=1)
