import math

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mimic.nets.build import build, initialise, load_weights, save_weights
from mimic.nets.families import STUDENTS, teacher
from mimic.nets.layers import (
    BatchNorm,
    Conv,
    Dropout,
    Flatten,
    Linear,
    Pool,
    ReLU,
    Residual,
    count,
    multiply_adds,
)
from mimic.nets.whitening import WhiteningConv2d
from mimic.support.errors import MimicError

RATES = dict.fromkeys(("conv1", "conv2", "conv3", "fc1", "fc2"), 0.0)


def filled(family, **rates):
    names = [*family.given, *filter(None, [family.dependent])]
    return family.layers({name: 3 + place for place, name in enumerate(names)}, 7, RATES | rates)


NETS = {
    "teacher": filled(teacher(False), conv1=0.2, conv2=0.3, conv3=0.37, fc1=0.4, fc2=0.4),
    "normalised teacher": filled(teacher(True), conv1=0.2, conv2=0.3, conv3=0.37, fc1=0.4, fc2=0.4),
    "fast teacher": filled(teacher(True, pool_first=True, whitening=True), conv1=0.2),
    **{name: filled(family) for name, family in STUDENTS.items()},
    "nested": (
        *(Flatten(), Linear(6), Residual((Linear(9), ReLU(), Dropout(0.1), Linear(6)))),
        *(ReLU(), Residual((Linear(5), ReLU(), Residual((Linear(5),)), Linear(6))), Linear(7)),
    ),
    "regularised conv2": filled(STUDENTS["conv2"], conv1=0.2, conv2=0.3, fc1=0.4),
}


@pytest.fixture(params=NETS, ids=str)
def layers(request):
    return NETS[request.param]


def ready(layers, channels=3, image_size=16, input_scale=1.0, seed=1):
    net = build(layers, channels, image_size, input_scale)
    initialise(net, 1.0, seed)
    for module in net.modules():
        if isinstance(module, WhiteningConv2d):
            module.set_from(images(channels=channels))
    return net


def images(number=4, channels=3, size=16):
    return torch.randn(number, channels, size, size, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize(("channels", "size"), [(3, 32), (1, 13)])
def test_torch_has_as_many_parameters_as_were_counted(layers, channels, size):
    net = build(layers, channels, size)
    assert sum(parameter.numel() for parameter in net.parameters()) == count(layers, channels, size)


@pytest.mark.parametrize(("channels", "size"), [(3, 32), (1, 13)])
def test_torch_spends_as_many_multiply_adds_as_were_counted(layers, channels, size):
    net = build(layers, channels, size).eval()
    with FlopCounterMode(display=False) as flops, torch.no_grad():
        net(images(1, channels, size))
    assert flops.get_total_flops() == 2 * multiply_adds(layers, channels, size)


def test_logits_are_linear_and_one_for_each_class(layers):
    logits_NK = ready(layers).eval()(images(64))
    assert logits_NK.shape == (64, 7)
    assert logits_NK.dtype == torch.float32
    assert (logits_NK < 0).any()


def test_memory_format_does_not_change_the_logits(layers):
    net = ready(layers).eval()
    expected = net(images())
    net = net.to(memory_format=torch.channels_last)
    torch.testing.assert_close(net(images().to(memory_format=torch.channels_last)), expected)


def test_modules_have_readable_names():
    names = [name for name, _ in build(NETS["regularised conv2"], 3, 16).named_children()]
    assert [name for name in names if name.startswith(("conv", "linear", "dropout"))] == [
        "conv1", "dropout1", "conv2", "dropout2", "linear1", "dropout3", "linear2",
    ]  # fmt: skip


def test_pooling_before_relu_changes_neither_logits_nor_gradients():
    layers = (Conv(6, 5), ReLU(), Pool(3), Flatten(), Linear(7))
    net = ready(layers)
    plain = nn.Sequential(
        nn.Conv2d(3, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3), nn.Flatten(), nn.Linear(150, 7)
    )
    plain.load_state_dict(dict(zip(plain.state_dict(), net.parameters(), strict=True)))
    for module in (net, plain):
        module(images(8)).square().sum().backward()
    assert isinstance(net[1], nn.MaxPool2d)
    assert torch.equal(net(images(8)), plain(images(8)))
    for ours, theirs in zip(net.parameters(), plain.parameters(), strict=True):
        assert torch.equal(ours.grad, theirs.grad)


def test_a_block_adds_to_its_input():
    net = ready((Flatten(), Linear(6), ReLU(), Residual((Linear(9), ReLU(), Linear(6))), ReLU(), Linear(7)))
    x, block = net.linear1(net.flatten1(images())).relu(), net.residual1
    inside = block.linear2(block.linear1(x).relu())
    assert torch.equal(net(images()), net.linear2((x + inside).relu()))


def test_a_block_that_changes_the_shape_or_its_input_is_refused():
    with pytest.raises(MimicError, match=r"a residual block makes \(5,\) of \(6,\)"):
        build((Flatten(), Linear(6), Residual((Linear(5),))), 3, 16)
    with pytest.raises(TypeError, match="must leave its input as it is"):
        build((Flatten(), Linear(6), Residual((ReLU(), Linear(6)))), 3, 16)


def test_gradients_are_those_of_the_loss(layers):
    """Against differences, in float64; dropout and batch normalisation as they predict."""
    net = ready(layers).double().eval()
    weights = {name: weight.detach() for name, weight in net.named_parameters()}
    random = torch.Generator().manual_seed(3)
    shifts = {
        name: torch.randn(w.shape, dtype=torch.float64, generator=random) for name, w in weights.items()
    }

    def loss(step):
        moved = {name: weight + step * shifts[name] for name, weight in weights.items()}
        return torch.func.functional_call(net, moved, images(2).double()).square().sum()

    step = torch.zeros((), dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(step), step)
    difference = (loss(1e-8) - loss(-1e-8)) / 2e-8  # short: ReLUs and pooling have kinks
    assert gradient.item() == pytest.approx(difference.item(), rel=1e-2)


def test_nested_weights_are_initialised_like_all_others():
    """Every layer from the seed and its place: none keeps what torch drew of its own."""
    net, again = ready(NETS["nested"]), ready(NETS["nested"])
    other = ready(NETS["nested"], seed=2)
    for name, weight in net.named_parameters():
        assert torch.equal(weight, again.get_parameter(name))
        assert torch.equal(weight, other.get_parameter(name)) == name.endswith("bias")
        assert not name.endswith("bias") or not weight.any()


def test_input_scale_multiplies_the_images():
    scaled, plain = ready(NETS["conv2"], input_scale=0.5), ready(NETS["conv2"])
    assert torch.equal(scaled(images()), plain(images() * 0.5))
    assert len(list(scaled.parameters())) == len(list(plain.parameters()))


def test_dropout_acts_in_training_alone():
    net = ready((Flatten(), Linear(200), ReLU(), Dropout(0.5), Linear(7)))
    torch.manual_seed(0)
    assert not torch.equal(net.train()(images()), net(images()))
    assert torch.equal(net.eval()(images()), net(images()))


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.0])
def test_initial_weights_have_the_variance_of_glorot_times_the_square_of_the_scale(scale):
    layers = (Conv(40, 5), ReLU(), Pool(2), Flatten(), Linear(50), ReLU(), Linear(2000))
    net = build(layers, 3, 16)
    initialise(net, scale, seed=1)
    inputs_and_outputs = {"conv1": (3 * 25, 40 * 25), "linear1": (40 * 64, 50), "linear2": (50, 2000)}
    for name, (inputs, outputs) in inputs_and_outputs.items():
        weight, variance = net.get_submodule(name).weight, scale**2 * 2 / (inputs + outputs)
        bound = math.sqrt(3 * variance)  # of a uniform distribution of this variance
        assert weight.var().item() == pytest.approx(variance, rel=0.1)
        assert 0.98 * bound < weight.abs().max() <= bound
        assert abs(weight.mean()) < 5 * math.sqrt(variance / weight.numel())
        assert not net.get_submodule(name).bias.any()


def test_initial_weights_follow_from_the_seed_alone():
    torch.manual_seed(1)
    first = ready(NETS["conv3"], seed=3).state_dict()
    torch.manual_seed(2)
    again = ready(NETS["conv3"], seed=3).to(memory_format=torch.channels_last).state_dict()
    other = ready(NETS["conv3"], seed=4).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert all(not torch.equal(first[name], other[name]) for name in first if name.endswith("weight"))


def test_layers_of_one_shape_start_different():
    net = ready((Flatten(), Linear(20), Linear(20), Linear(20)))
    assert not torch.equal(net.linear2.weight, net.linear3.weight)


def test_batch_normalisation_starts_as_the_identity():
    net = ready((Conv(4, 3, bias=False), BatchNorm(), Flatten(), Linear(7)))
    assert net.batchnorm1.weight.eq(1).all()
    assert not net.batchnorm1.bias.any()


def test_building_and_initialising_leave_torchs_own_generator_alone():
    torch.manual_seed(6)
    expected = torch.rand(3)
    torch.manual_seed(6)
    ready(NETS["conv2"])
    assert torch.equal(torch.rand(3), expected)


def test_weights_come_back_bit_for_bit(layers, tmp_path):
    path = tmp_path / "model.safetensors"
    net = ready(layers, input_scale=0.8).to(memory_format=torch.channels_last)
    net(images())  # moves the running means of batch normalisation
    save_weights(net, path)
    restored = ready(layers, seed=2).to(memory_format=torch.channels_last)
    load_weights(restored, path)
    assert torch.equal(restored.eval()(images()), net.eval()(images()))


def test_stored_weights_do_not_depend_on_the_memory_format(tmp_path):
    net = ready(NETS["conv4"])
    save_weights(net, tmp_path / "plain")
    save_weights(net.to(memory_format=torch.channels_last), tmp_path / "channels_last")
    assert (tmp_path / "plain").read_bytes() == (tmp_path / "channels_last").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda tensors: tensors.pop("conv2.bias"),
            r"conv2\.bias is absent, where the net has float32 \[4\]$",
        ),
        (
            lambda tensors: tensors.update(conv9=torch.zeros(2)),
            r"conv9 is float32 \[2\], where the net has absent$",
        ),
        (
            lambda tensors: tensors.update({"conv1.bias": torch.zeros(5)}),
            r"conv1\.bias is float32 \[5\], where the net has float32 \[3\]$",
        ),
        (
            lambda tensors: tensors.update({"conv1.bias": torch.zeros(3, dtype=torch.float16)}),
            r"conv1\.bias is float16 \[3\], where the net has float32 \[3\]$",
        ),
    ],
)
def test_weights_of_another_net_are_refused_and_nothing_is_loaded(change, message, tmp_path):
    path = tmp_path / "model.safetensors"
    net = ready(NETS["conv2"])
    save_weights(net, path)
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    other = ready(NETS["conv2"], seed=2)
    before = other(images())
    with pytest.raises(MimicError, match=rf"model\.safetensors: does not fit this net: {message}"):
        load_weights(other, path)
    assert torch.equal(other(images()), before)


@pytest.mark.parametrize("length", [0, 7, 100, -1])
def test_a_truncated_file_is_refused(length, tmp_path):
    path = tmp_path / "model.safetensors"
    save_weights(ready(NETS["conv2"]), path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(MimicError, match=r"model\.safetensors: no safetensors file, or a damaged one"):
        load_weights(ready(NETS["conv2"]), path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MimicError, match=r"model\.safetensors: no such file$"):
        load_weights(ready(NETS["conv2"]), tmp_path / "model.safetensors")
