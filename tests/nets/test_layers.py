import pytest

from mimic.core.errors import MimicError
from mimic.nets.layers import (
    BatchNorm,
    Conv,
    Dropout,
    Flatten,
    Linear,
    Pool,
    ReLU,
    count,
    describe,
    dropout,
    input_shapes,
    multiply_adds,
)

SMALL = (Conv(2, 3), ReLU(), Pool(2), Flatten(), Linear(3))


def test_a_small_net_counted_by_hand():
    assert count(SMALL, channels=1, size=4) == 2 * (9 + 1) + 3 * (2 * 2 * 2 + 1)
    assert multiply_adds(SMALL, channels=1, size=4) == 4 * 4 * 2 * 9 + 8 * 3
    assert input_shapes(SMALL, channels=1, size=4) == [(1, 4, 4), (2, 4, 4), (2, 4, 4), (2, 2, 2), (8,)]


def test_batch_normalisation_learns_a_scale_and_a_shift_for_each_channel():
    assert count((Conv(7, 3, bias=False), BatchNorm()), channels=3, size=8) == 7 * 27 + 14


def test_layers_without_weights_cost_nothing():
    layers = (ReLU(), Pool(2), Dropout(0.5), Flatten())
    assert (count(layers, 3, 8), multiply_adds(layers, 3, 8)) == (0, 0)


def test_3x3_pooling_drops_the_pixels_left_over():
    assert input_shapes((Pool(3), Flatten()), channels=1, size=32)[1] == (1, 10, 10)


def test_an_image_too_small_to_pool_is_refused():
    with pytest.raises(
        MimicError, match=r"^data\.image_size: too small .* 2x2 max-pooling meets maps of 1x1$"
    ):
        input_shapes((Pool(2), Pool(2), Pool(2), Flatten()), channels=3, size=6)


def test_dropout_of_nothing_is_no_layer():
    assert dropout(0.0) == ()
    assert dropout(0.25) == (Dropout(0.25),)


def test_description_tells_a_bottleneck_from_a_hidden_layer():
    layers = (
        Conv(64, 5),
        ReLU(),
        Pool(3),
        Dropout(0.1),
        Flatten(),
        Linear(9),
        Linear(600),
        ReLU(),
        Linear(10),
    )
    assert describe(layers) == "c64-mp-lfc9-fc600"
