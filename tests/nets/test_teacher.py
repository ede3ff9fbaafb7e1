from itertools import groupby

import pytest

from mimic.core.parameters import Teacher, TeacherDropout
from mimic.nets.layers import BatchNorm, Conv, Dropout, Linear, Pool, count, describe
from mimic.nets.teacher import teacher_layers


def teacher(filters=(76, 126, 148), hidden=1200, **dropout):
    return Teacher(
        filters=filters,
        hidden=hidden,
        learning_rate=0.02,
        momentum=0.9,
        weight_decay=1e-4,
        dropout=TeacherDropout(**dropout),
    )


@pytest.mark.parametrize(
    ("filters", "hidden", "published"),
    [((76, 126, 148), 1200, 5_339_350), ((96, 171, 128), 512, 2_453_729), ((54, 158, 189), 1044, 5_823_101)],
)
def test_the_paper_publishes_these_numbers_of_parameters(filters, hidden, published):
    layers = teacher_layers(teacher(filters, hidden), classes=10, batch_normalisation=False)
    assert count(layers, channels=3, size=32) == published


def test_architecture_of_the_paper():
    layers = teacher_layers(teacher((2, 3, 4), 5), classes=10, batch_normalisation=False)
    assert describe(layers) == "c2-c2-mp-c3-c3-mp-c4-c4-c4-c4-mp-fc5-fc5"
    assert {layer.kernel for layer in layers if isinstance(layer, Conv)} == {3}
    assert {layer.size for layer in layers if isinstance(layer, Pool)} == {2}


def test_dropout_follows_each_pooling_and_each_hidden_layer():
    rates = {"conv1": 0.1, "conv2": 0.2, "conv3": 0.3, "fc1": 0.4, "fc2": 0.0}
    layers = teacher_layers(teacher(**rates), classes=10, batch_normalisation=False)
    dropped = [layer for layer in layers if isinstance(layer, Pool | Linear | Dropout)]
    kinds = [type(layer).__name__ for layer in dropped]
    assert kinds == [
        "Pool",
        "Dropout",
        "Pool",
        "Dropout",
        "Pool",
        "Dropout",
        "Linear",
        "Dropout",
        "Linear",
        "Linear",
    ]
    assert [layer.rate for layer in dropped if isinstance(layer, Dropout)] == [0.1, 0.2, 0.3, 0.4]


def test_batch_normalisation_stands_between_convolution_and_relu_in_place_of_the_bias():
    layers = teacher_layers(teacher((2, 3, 4), 5), classes=10, batch_normalisation=True)
    convolutions = [place for place, layer in enumerate(layers) if isinstance(layer, Conv)]
    assert all(isinstance(layers[place + 1], BatchNorm) for place in convolutions)
    assert not any(layers[place].bias for place in convolutions)
    plain = teacher_layers(teacher((2, 3, 4), 5), classes=10, batch_normalisation=False)
    shifts_for_biases, scales = 0, 2 * 2 + 2 * 3 + 4 * 4
    assert count(layers, 3, 32) - count(plain, 3, 32) == shifts_for_biases + scales


def test_relu_follows_all_but_the_output():
    layers = teacher_layers(
        teacher(conv1=0.0, conv2=0.0, conv3=0.0, fc1=0.0, fc2=0.0), 7, batch_normalisation=False
    )
    kinds = [kind for kind, _ in groupby(type(layer).__name__ for layer in layers)]
    hidden = "Conv ReLU Conv ReLU Pool Conv ReLU Conv ReLU Pool " + 4 * "Conv ReLU " + "Pool Flatten "
    assert " ".join(kinds) == hidden + "Linear ReLU Linear ReLU Linear"
    assert layers[-1] == Linear(7)
