"""A layer that is set from the images and never learnt."""

import torch
from torch.nn import functional

from mimic.nets.build import build, initialise, load_weights, save_weights
from mimic.nets.layers import Conv, Flatten, Linear, ReLU, Whitening, count
from mimic.nets.whitening import WhiteningConv2d

LAYERS = (Whitening(kernel=2), ReLU(), Conv(30, kernel=3), ReLU(), Flatten(), Linear(3))


def images() -> torch.Tensor:
    """Smooth, so that neighbouring pixels go together."""
    noise = torch.randn(300, 3, 11, 11, generator=torch.Generator().manual_seed(1))
    return functional.avg_pool2d(noise, 4, stride=1)


def test_patches_are_decorrelated_and_the_sign_of_each_direction_is_fixed():
    layer = WhiteningConv2d(3, 2)
    layer.set_from(images())
    out_NCHW = layer(images())
    values_CP = out_NCHW[:, :12].transpose(0, 1).flatten(1)
    covariance_CC = values_CP @ values_CP.T / values_CP.shape[1]
    assert (covariance_CC - covariance_CC.diag().diag()).abs().max() < 1e-3
    assert covariance_CC.diag().min() > 0 and covariance_CC.diag().max() <= 1
    assert covariance_CC.diag().max() > 0.9  # of the directions that vary far more than EPSILON
    assert torch.equal(out_NCHW[:, 12:], -out_NCHW[:, :12])
    largest = layer.weight[:12].flatten(1).abs().argmax(1, keepdim=True)
    assert (layer.weight[:12].flatten(1).gather(1, largest) > 0).all()


def test_it_is_stored_with_the_weights_and_is_none_of_them(tmp_path):
    net = build(LAYERS, channels=3, image_size=8)
    initialise(net, 1.0, seed=1)
    net.whitening1.set_from(images())
    assert "whitening1.weight" not in dict(net.named_parameters())
    assert count(LAYERS, 3, 8) == sum(weight.numel() for weight in net.parameters())
    save_weights(net, tmp_path / "model.safetensors")
    other = build(LAYERS, channels=3, image_size=8)
    load_weights(other, tmp_path / "model.safetensors")
    assert torch.equal(other(images()), net(images()))


def test_dirac_filters_pass_their_inputs_on():
    net = build(LAYERS, channels=3, image_size=8)
    initialise(net, 1.0, seed=1)
    glorot = net.conv1.weight.detach().clone()
    initialise(net, 1.0, seed=1, dirac=True)
    maps_NCHW = torch.rand(2, 24, 7, 7)
    passed_NCHW = functional.conv2d(maps_NCHW, net.conv1.weight, padding="same")[:, :24]
    assert torch.equal(passed_NCHW, maps_NCHW)
    assert torch.equal(net.conv1.weight[24:], glorot[24:])
