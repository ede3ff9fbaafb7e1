import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mimic.training.losses.cross_entropy import CrossEntropy
from mimic.training.losses.kl import KL
from mimic.training.losses.l2 import L2


def test_l2_by_hand():
    logits_NK = torch.tensor([[1.0, 2.0], [0.0, 0.0]])
    targets_NK = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    assert L2()(None, logits_NK, targets_NK).item() == (5 + 25) / 2  # summed over classes, mean over samples
    assert L2(reduction="mean")(None, logits_NK, targets_NK).item() == (5 + 25) / 4


def test_cross_entropy_by_hand():
    logits_NK = torch.tensor([[0.0, 0.0], [math.log(3), 0.0]])
    loss = CrossEntropy()(None, logits_NK, torch.tensor([0, 1]))
    assert loss.item() == pytest.approx((math.log(2) + math.log(4)) / 2)


def test_smoothed_labels_by_hand():
    logits_NK = torch.tensor([[math.log(3), 0.0]])  # 3/4 and 1/4
    loss = CrossEntropy(smoothing=0.2)(None, logits_NK, torch.tensor([0]))
    assert loss.item() == pytest.approx(-0.9 * math.log(3 / 4) - 0.1 * math.log(1 / 4))


def test_kl_by_hand():
    targets_NK = torch.tensor([[2 * math.log(3), 0.0], [5.0, 5.0]])  # at temperature 2: 3/4, 1/4 and 1/2, 1/2
    divergence = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    loss = KL(temperature=2.0)(None, torch.zeros(2, 2), targets_NK)
    assert loss.item() == pytest.approx(2**2 * (divergence + 0) / 2)


rows = st.lists(st.floats(-20, 20), min_size=3, max_size=3)
logits = st.lists(rows, min_size=1, max_size=4).map(torch.tensor)


@given(logits, st.floats(0.5, 20), st.floats(-5, 5))
def test_kl_is_zero_for_equal_distributions_and_else_positive(logits_NK, temperature, shift):
    loss = KL(temperature=temperature)
    assert loss(None, logits_NK + shift, logits_NK).item() == pytest.approx(0, abs=1e-3)
    others_NK = logits_NK.roll(1, dims=1)
    assert loss(None, others_NK, logits_NK).item() >= -1e-3


@pytest.mark.parametrize("loss", [L2(), KL(), CrossEntropy()])
def test_targets_of_another_form_are_refused(loss):
    # Square on purpose: torch would broadcast labels, and take logits for probabilities.
    wrong = torch.zeros(2, 2) if isinstance(loss, CrossEntropy) else torch.zeros(2)
    with pytest.raises(ValueError, match="do not suit"):
        loss(None, torch.zeros(2, 2), wrong)
