"""The architectures of the paper: its teachers, and the families of students."""

from itertools import groupby

import pytest

from mimic.nets.budget import solve
from mimic.nets.families import STUDENTS, teacher
from mimic.nets.layers import BatchNorm, Conv, Dropout, Linear, Pool, ReLU, count
from mimic.report.student_families import architecture
from mimic.support.errors import MimicError

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


NO_DROPOUT = dict.fromkeys(("conv1", "conv2", "conv3", "fc1", "fc2"), 0.0)


def layers_of(family, **rates):
    """The net of a student's family with widths that all differ, and those widths."""
    family = STUDENTS[family]
    names = [*family.given, *filter(None, [family.dependent])]
    widths = {name: 2 + place for place, name in enumerate(names)}
    return widths, family.layers(widths, 10, NO_DROPOUT | rates)


def teacher_layers(filters=(2, 3, 4), hidden=5, classes=10, batch_normalisation=False, **rates):
    family = teacher(batch_normalisation)
    widths = dict(zip(family.given, (*filters, hidden), strict=True))
    return family.layers(widths, classes, NO_DROPOUT | rates)


def test_families_are_perceptrons_or_convolutional():
    assert {name: STUDENTS[name].is_convolutional for name in PAPER} == {
        name: form.startswith("c") for name, form in PAPER.items()
    }


@pytest.mark.parametrize("family", PAPER)
def test_students_have_the_architectures_of_the_paper(described, family):
    _, layers = layers_of(family)
    assert "".join(letter for letter in described(layers) if not letter.isdigit()) == PAPER[family]
    assert {layer.kernel for layer in layers if isinstance(layer, Conv)} <= {5}
    assert {layer.size for layer in layers if isinstance(layer, Pool)} <= {3 if family == "conv1" else 2}
    assert layers[-1] == Linear(10)


@pytest.mark.parametrize("family", PAPER)
def test_each_width_goes_to_one_layer(family):
    widths, layers = layers_of(family)
    in_net = [getattr(layer, "filters", None) or getattr(layer, "units", None) for layer in layers[:-1]]
    assert sorted(filter(None, in_net)) == sorted(widths.values())


@pytest.mark.parametrize("family", PAPER)
def test_relu_follows_every_layer_but_bottleneck_and_output(family):
    _, layers = layers_of(family)
    linear = [
        layer
        for layer, follower in zip(layers, [*layers[1:], None], strict=True)
        if isinstance(layer, Conv | Linear) and not isinstance(follower, ReLU)
    ]
    assert len(linear) == 1 + PAPER[family].count("lfc")


def test_dropout_follows_each_pooling_and_the_hidden_layer_of_a_student():
    _, layers = layers_of("conv3", conv1=0.1, conv2=0.2, conv3=0.3, fc1=0.4)
    followed = [type(layers[place - 1]) for place, layer in enumerate(layers) if isinstance(layer, Dropout)]
    assert followed == [Pool, Pool, Pool, ReLU]
    assert [layer.rate for layer in layers if isinstance(layer, Dropout)] == [0.1, 0.2, 0.3, 0.4]


def test_a_perceptron_drops_out_after_every_hidden_layer():
    _, layers = layers_of("mlp3", fc1=0.5)
    assert [layer for layer in layers if isinstance(layer, Dropout)] == 3 * [Dropout(0.5)]


@pytest.mark.parametrize("family", PAPER)
def test_a_rate_of_zero_leaves_no_layer(family):
    _, layers = layers_of(family)
    assert not any(isinstance(layer, Dropout) for layer in layers)


@pytest.mark.parametrize("family", PAPER)
def test_a_rate_must_have_a_place_in_the_net_unless_it_is_zero(family):
    places = {f"conv{number}" for number in range(1, PAPER[family].count("mp") + 1)} | {"fc1"}
    STUDENTS[family].check_dropout(dict.fromkeys(places, 0.5))
    STUDENTS[family].check_dropout(NO_DROPOUT)
    for place in set(NO_DROPOUT) - places:
        with pytest.raises(MimicError, match=f"^dropout.{place}: must be 0, since {family} has no place"):
            STUDENTS[family].check_dropout({place: 0.1})


@pytest.mark.parametrize(
    ("filters", "hidden", "published"),
    [((76, 126, 148), 1200, 5_339_350), ((96, 171, 128), 512, 2_453_729), ((54, 158, 189), 1044, 5_823_101)],
)
def test_the_paper_publishes_these_numbers_of_a_teachers_parameters(filters, hidden, published):
    layers = teacher_layers(filters, hidden)
    assert count(layers, channels=3, size=32) == published


def test_a_teacher_has_the_architecture_of_the_paper(described):
    layers = teacher_layers()
    assert described(layers) == "c2-c2-mp-c3-c3-mp-c4-c4-c4-c4-mp-fc5-fc5"
    assert {layer.kernel for layer in layers if isinstance(layer, Conv)} == {3}
    assert {layer.size for layer in layers if isinstance(layer, Pool)} == {2}


def test_conv8_has_a_teacher_s_shape_within_a_student_s_budget(described):
    net = solve(STUDENTS["conv8"], 1_000_000, {"c1": 32, "c2": 48, "c3": 64}, 10, 3, 32, NO_DROPOUT)
    form = described(net).split("-")
    assert [word.rstrip("0123456789") for word in form] == [
        word.rstrip("0123456789") for word in described(teacher_layers()).split("-")
    ]
    assert "-".join(form[:-2]) == "c32-c32-mp-c48-c48-mp-c64-c64-c64-c64-mp" and form[-1] == form[-2]
    assert abs(count(net, channels=3, size=32) - 1_000_000) < 3_000
    assert {layer.kernel for layer in net if isinstance(layer, Conv)} == {3}


def test_a_residual_perceptron_meets_its_budget_and_drops_out_inside_its_blocks():
    net = solve(STUDENTS["resmlp"], 1_000_000, {"fc": 800}, 10, 3, 32, NO_DROPOUT | {"fc1": 0.3})
    assert abs(count(net, channels=3, size=32) - 1_000_000) < 3_000
    assert [layer.kind for layer in net] == ["flatten", "linear", "residual", "residual", "linear"]
    assert net[2].layers == net[3].layers == (Linear(800), ReLU(), Dropout(0.3), Linear(net[1].units))
    assert architecture(STUDENTS["resmlp"]) == "lfc-[fc-lfc]²"


def test_dropout_follows_each_pooling_and_each_hidden_layer_of_a_teacher():
    rates = {"conv1": 0.1, "conv2": 0.2, "conv3": 0.3, "fc1": 0.4, "fc2": 0.0}
    layers = teacher_layers(**rates)
    dropped = [layer for layer in layers if isinstance(layer, Pool | Linear | Dropout)]
    kinds = [type(layer).__name__ for layer in dropped]
    assert kinds == [*3 * ["Pool", "Dropout"], "Linear", "Dropout", "Linear", "Linear"]
    assert [layer.rate for layer in dropped if isinstance(layer, Dropout)] == [0.1, 0.2, 0.3, 0.4]


def test_batch_normalisation_stands_between_convolution_and_relu_in_place_of_the_bias():
    layers = teacher_layers(batch_normalisation=True)
    convolutions = [place for place, layer in enumerate(layers) if isinstance(layer, Conv)]
    assert all(isinstance(layers[place + 1], BatchNorm) for place in convolutions)
    assert not any(layers[place].bias for place in convolutions)
    plain = teacher_layers()
    shifts_for_biases, scales = 0, 2 * 2 + 2 * 3 + 4 * 4
    assert count(layers, 3, 32) - count(plain, 3, 32) == shifts_for_biases + scales


def test_a_group_can_pool_after_its_first_convolution_and_whitening_come_before_all():
    family = teacher(True, pool_first=True, whitening=True)
    assert architecture(family) == "whitening-c-mp-c²-mp-c²-mp-c³-fc²"
    rates = NO_DROPOUT | {"conv2": 0.2}
    layers = family.layers({"group1": 2, "group2": 3, "group3": 4, "hidden": 5}, 10, rates)
    kinds = [type(layer).__name__ for layer in layers]
    assert " ".join(kinds[2:12]) == "Conv Pool BatchNorm ReLU Conv BatchNorm ReLU Conv Pool BatchNorm"
    third = kinds.index("Dropout") + 1  # dropout still follows a group
    assert kinds[third : third + 2] == ["Conv", "Pool"]
    plain = teacher_layers(batch_normalisation=True)
    from_three, from_whitened = 2 * 3 * 9, 2 * 24 * 9  # weights of the first convolution
    flattened = 4 * 5 * (4**2 - 3**2)  # a 2x2 whitening without padding leaves 31 pixels of 32, and 3 of 4
    assert count(layers, 3, 32) - count(plain, 3, 32) == from_whitened - from_three - flattened


def test_relu_follows_all_of_a_teacher_but_the_output():
    layers = teacher_layers(classes=7)
    kinds = [kind for kind, _ in groupby(type(layer).__name__ for layer in layers)]
    hidden = "Conv ReLU Conv ReLU Pool Conv ReLU Conv ReLU Pool " + 4 * "Conv ReLU " + "Pool Flatten "
    assert " ".join(kinds) == hidden + "Linear ReLU Linear ReLU Linear"
    assert layers[-1] == Linear(7)
