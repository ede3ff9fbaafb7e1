"""The first filters of nets, as pictures."""

import numpy as np
import pytest
import torch
from torch import nn

from mimic.evaluation.filters import MOST, first_filters

SIZE = 4


def set_weights(layer, weights):
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weights).reshape(layer.weight.shape))


def test_a_convolutions_filters_by_hand_the_largest_first():
    conv = nn.Conv2d(3, 2, 1)
    set_weights(conv, [1.0, 0.0, -0.5, 0.0, -4.0, 2.0])
    found = first_filters(nn.Sequential(conv, nn.ReLU(), nn.Conv2d(2, 9, 3)), SIZE)
    # 127.5 + 127.5 w / max |w|, rounded to even
    assert found[:, :, 0, 0].tolist() == [[128, 0, 191], [255, 128, 64]]


def test_a_linear_bottleneck_is_multiplied_out():
    bottleneck, hidden = nn.Linear(3 * SIZE**2, 5), nn.Linear(5, 7)
    net = nn.Sequential(nn.Flatten(), bottleneck, hidden, nn.ReLU(), nn.Linear(7, 10))
    one = nn.Linear(3 * SIZE**2, 7)
    set_weights(one, (hidden.weight @ bottleneck.weight).detach().numpy())
    np.testing.assert_array_equal(
        first_filters(net, SIZE), first_filters(nn.Sequential(nn.Flatten(), one, nn.ReLU()), SIZE)
    )
    assert first_filters(net, SIZE).shape == (7, 3, SIZE, SIZE)


@pytest.mark.parametrize(
    ("net", "number"),
    [
        (nn.Sequential(nn.Conv2d(3, 2 * MOST, 5)), MOST),
        (nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE**2, 2 * MOST), nn.ReLU()), MOST),
        (nn.Sequential(nn.Conv2d(24, 8, 3)), None),  # behind a whitening: its inputs are no colours
        (nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(48, 8)), None),
    ],
)
def test_so_many_are_kept_and_none_where_there_is_nothing_to_see(net, number):
    found = first_filters(net, SIZE)
    assert found is None if number is None else found.shape[:2] == (number, 3)


def test_a_filter_without_weights_is_grey():
    conv = nn.Conv2d(3, 1, 2)
    nn.init.zeros_(conv.weight)
    assert (first_filters(nn.Sequential(conv), SIZE) == 128).all()
