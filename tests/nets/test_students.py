import pytest

from mimic.core.parameters import StudentDropout
from mimic.core.types import FAMILIES
from mimic.nets.layers import Conv, Dropout, Linear, Pool, ReLU, describe
from mimic.nets.students import REGISTRY

PAPER = {
    "mlp1": "lfc-fc",
    "mlp2": "lfc-fc-fc",
    "mlp3": "lfc-fc-fc-fc",
    "mlp4": "lfc-fc-fc-fc-fc",
    "mlp5": "lfc-fc-fc-fc-fc-fc",
    "conv1": "c-mp-lfc-fc",
    "conv2": "c-mp-c-mp-fc",
    "conv3": "c-mp-c-mp-c-mp-fc",
    "conv4": "c-mp-c-c-mp-c-mp-fc",
}


def layers_of(family, **rates):
    kind = REGISTRY[family]
    names = [*kind.given, *filter(None, [kind.dependent])]
    widths = {name: 2 + place for place, name in enumerate(names)}
    return widths, kind.layers(widths, 10, StudentDropout(**rates))


def test_params_yaml_knows_exactly_the_registered_families():
    assert tuple(REGISTRY) == FAMILIES


@pytest.mark.parametrize("family", FAMILIES)
def test_architecture_of_the_paper(family):
    _, layers = layers_of(family)
    assert "".join(letter for letter in describe(layers) if not letter.isdigit()) == PAPER[family]
    assert {layer.kernel for layer in layers if isinstance(layer, Conv)} <= {5}
    assert {layer.size for layer in layers if isinstance(layer, Pool)} <= {3 if family == "conv1" else 2}
    assert layers[-1] == Linear(10)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_width_goes_to_one_layer(family):
    widths, layers = layers_of(family)
    in_net = [getattr(layer, "filters", None) or getattr(layer, "units", None) for layer in layers[:-1]]
    assert sorted(filter(None, in_net)) == sorted(widths.values())


@pytest.mark.parametrize("family", FAMILIES)
def test_relu_follows_every_layer_but_bottleneck_and_output(family):
    _, layers = layers_of(family)
    linear = [
        layer
        for layer, follower in zip(layers, [*layers[1:], None], strict=True)
        if isinstance(layer, Conv | Linear) and not isinstance(follower, ReLU)
    ]
    assert len(linear) == 1 + PAPER[family].count("lfc")


def test_dropout_follows_each_pooling_and_the_hidden_layer():
    _, layers = layers_of("conv3", conv1=0.1, conv2=0.2, conv3=0.3, fc1=0.4)
    followed = [type(layers[place - 1]) for place, layer in enumerate(layers) if isinstance(layer, Dropout)]
    assert followed == [Pool, Pool, Pool, ReLU]
    assert [layer.rate for layer in layers if isinstance(layer, Dropout)] == [0.1, 0.2, 0.3, 0.4]


def test_a_perceptron_drops_out_after_every_hidden_layer():
    _, layers = layers_of("mlp3", fc1=0.5)
    assert [layer for layer in layers if isinstance(layer, Dropout)] == 3 * [Dropout(0.5)]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_rate_of_zero_leaves_no_layer(family):
    _, layers = layers_of(family)
    assert not any(isinstance(layer, Dropout) for layer in layers)
