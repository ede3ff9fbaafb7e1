import pytest
from pydantic import TypeAdapter, ValidationError

from mimic.nets.layers import (
    BatchNorm,
    Conv,
    Dropout,
    Flatten,
    Layers,
    Linear,
    Pool,
    ReLU,
    count,
    fill,
    leaves_with_inputs,
    multiply_adds,
    output,
)
from mimic.support.errors import MimicError

SMALL = (Conv(2, 3), ReLU(), Pool(2), Flatten(), Linear(3))


def test_a_small_net_counted_by_hand():
    assert count(SMALL, channels=1, size=4) == 2 * (9 + 1) + 3 * (2 * 2 * 2 + 1)
    assert multiply_adds(SMALL, channels=1, size=4) == 4 * 4 * 2 * 9 + 8 * 3
    assert [shape for _, shape in leaves_with_inputs(SMALL, (1, 4, 4))] == [
        (1, 4, 4),
        (2, 4, 4),
        (2, 4, 4),
        (2, 2, 2),
        (8,),
    ]


def test_batch_normalisation_learns_a_scale_and_a_shift_for_each_channel():
    assert count((Conv(7, 3, bias=False), BatchNorm()), channels=3, size=8) == 7 * 27 + 14


def test_layers_without_weights_cost_nothing():
    layers = (ReLU(), Pool(2), Dropout(0.5), Flatten())
    assert (count(layers, 3, 8), multiply_adds(layers, 3, 8)) == (0, 0)


def test_3x3_pooling_drops_the_pixels_left_over():
    assert output((Pool(3),), (1, 32, 32)) == (1, 10, 10)


def test_an_image_too_small_to_pool_is_refused():
    with pytest.raises(
        MimicError, match=r"^data\.image_size: too small .* 2x2 max-pooling meets maps of 1x1$"
    ):
        output((Pool(2), Pool(2), Pool(2), Flatten()), (3, 6, 6))


TEMPLATE = (
    Conv("c1", 5, bias=False),
    ReLU(),
    Pool(3),
    Dropout("dropout.conv1"),
    Flatten(),
    Linear("fc"),
    Linear(3),
)


def test_a_template_is_filled_with_numbers():
    numbers = {"c1": 4, "fc": 9, "dropout.conv1": 0.25, "another": 1}
    filled = fill(TEMPLATE, numbers)
    assert filled == (Conv(4, 5, bias=False), ReLU(), Pool(3), Dropout(0.25), Flatten(), Linear(9), Linear(3))
    assert fill(filled, {}) == filled


def test_dropout_of_nothing_is_no_layer():
    filled = fill(TEMPLATE, {"c1": 4, "fc": 9, "dropout.conv1": 0.0})
    assert filled == (Conv(4, 5, bias=False), ReLU(), Pool(3), Flatten(), Linear(9), Linear(3))


def test_a_number_that_is_not_given_is_named():
    with pytest.raises(KeyError, match="fc"):
        fill(TEMPLATE, {"c1": 4, "dropout.conv1": 0.0})


@pytest.mark.parametrize("layers", [TEMPLATE, SMALL, (BatchNorm(), Dropout(0.5), Linear(2))])
def test_layers_come_back_from_json_as_they_were(layers):
    adapter = TypeAdapter(Layers)
    assert adapter.validate_json(adapter.dump_json(layers)) == layers


def test_a_layer_of_no_known_kind_is_refused():
    with pytest.raises(ValidationError, match="kind"):
        TypeAdapter(Layers).validate_json('[{"kind": "attention", "units": 3}]')
