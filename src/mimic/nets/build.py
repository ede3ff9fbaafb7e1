"""Nets in torch: built from their description, initialised, stored as safetensors."""

from collections import Counter, OrderedDict
from itertools import pairwise
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mimic.data.seeds import torch_seed
from mimic.nets.layers import (
    BatchNorm,
    Conv,
    Dropout,
    Flatten,
    Layer,
    Layers,
    Linear,
    Pool,
    ReLU,
    Residual,
    Shape,
    Whitening,
)
from mimic.nets.pooling import Pool2d
from mimic.nets.whitening import WhiteningConv2d
from mimic.support.errors import MimicError
from mimic.support.publish import atomic_path


class Net(nn.Sequential):
    """Layers in a row, fed with standardised images times `input_scale`.

    The scale is no parameter, yet a buffer that is stored with the weights: they mean nothing without it. So
    are the two of `map_logits`, in a net that has them.
    """

    input_scale: Tensor

    def __init__(self, modules: OrderedDict[str, nn.Module], input_scale: float) -> None:
        super().__init__(modules)
        self.register_buffer("input_scale", torch.tensor(input_scale, dtype=torch.float32))
        self.register_buffer("logit_scale", None)
        self.register_buffer("logit_mean", None)

    def map_logits(self, scale: Tensor, mean_K: Tensor) -> None:
        """From now on logits are what the last layer gives, times `scale`, plus `mean_K`: both float32."""
        self.logit_scale, self.logit_mean = scale, mean_K

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """logits_NK, float32, of standardised images in any memory format.

        The last layer computes in float32, whatever autocast says: it costs nothing, and in bfloat16 logits
        of two classes are equal now and then.
        """
        *hidden, last = self
        activations = images_NCHW * self.input_scale
        for module in hidden:
            activations = module(activations)
        with torch.autocast(images_NCHW.device.type, enabled=False):
            logits_NK = last(activations.to(self.input_scale.dtype))
            if self.logit_scale is None:
                return logits_NK
            return torch.addcmul(self.logit_mean, logits_NK, self.logit_scale)


class Block(nn.Sequential):
    """Layers in a row whose output is added to their input."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + super().forward(inputs)


def build(layers: Layers, channels: int, image_size: int, input_scale: float = 1.0) -> Net:
    """The net that `layers` describe, in float32 on the CPU, its weights still to be set.

    Modules are named by kind and number: conv1, conv2, linear1. Torch's own generator stays as it was.
    """
    with torch.random.fork_rng(devices=[]):  # torch's modules draw weights of their own
        return Net(_modules(layers, (channels, image_size, image_size)), input_scale)


def _modules(layers: Layers, shape: Shape) -> OrderedDict[str, nn.Module]:
    numbers: Counter[str] = Counter()
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    for layer in _pool_before_relu(layers):
        kind = type(layer).__name__.lower()
        numbers[kind] += 1
        modules[f"{kind}{numbers[kind]}"] = _module(layer, shape)
        shape = layer.output(shape)
    return modules


def _pool_before_relu(layers: Layers) -> Layers:
    """The same function and gradients: both are monotone, so they commute, and pooled maps are smaller."""
    reordered = list(layers)
    for place, pair in enumerate(pairwise(layers)):
        match pair:
            case ReLU(), Pool():
                reordered[place : place + 2] = reversed(pair)
    return tuple(reordered)


def _module(layer: Layer, shape: Shape) -> nn.Module:
    match layer:
        case Conv(filters=filters, kernel=kernel, bias=bias):
            return nn.Conv2d(shape[0], filters, kernel, padding="same", bias=bias)
        case Whitening(kernel=kernel):
            return WhiteningConv2d(shape[0], kernel)
        case Linear(units=units):
            return nn.Linear(shape[0], units)
        case BatchNorm():
            return nn.BatchNorm2d(shape[0])
        case Pool(size=size):
            return Pool2d(size)
        case ReLU():
            return nn.ReLU(inplace=True)
        case Residual(layers=(ReLU(), *_)):
            raise TypeError("a block's first layer must leave its input as it is, since the sum needs it")
        case Residual(layers=inside):
            return Block(_modules(inside, shape))
        case Dropout(rate=rate):
            return nn.Dropout(rate)
        case Flatten():
            return nn.Flatten()
    raise TypeError(f"no module for {layer}")


@torch.no_grad()
def initialise(net: Net, scale: float, seed: int, dirac: bool = False) -> None:
    """Set weights as Glorot and Bengio (2010) do, uniform, times `scale`; biases to zero.

    With `dirac` the first filters of a convolution, as many as it has inputs, pass these on instead. Each
    layer has a stream of its own, drawn on the CPU: the same weights on any device.
    """
    weighted = [module for module in net.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    for place, module in enumerate(weighted):
        generator = torch.Generator().manual_seed(torch_seed(seed, "initial weights", place))
        drawn = nn.init.xavier_uniform_(torch.empty(module.weight.shape), gain=scale, generator=generator)
        if dirac and isinstance(module, nn.Conv2d):
            nn.init.dirac_(drawn[: module.in_channels])
        module.weight.copy_(drawn)
        if module.bias is not None:
            module.bias.zero_()


def save_weights(net: nn.Module, path: Path) -> None:
    """Publish the state of `net` atomically: float32, contiguous whatever the net's memory format."""
    with atomic_path(path) as aside:
        save_file({name: tensor.contiguous() for name, tensor in net.state_dict().items()}, aside)


def load_weights(net: Net, path: Path) -> None:
    """Set the state of `net` from a file of `save_weights`.

    Raises MimicError naming the file when it can not be read or does not fit the net exactly.
    """
    try:
        stored = load_file(path)
    except FileNotFoundError:
        raise MimicError(f"{path}: no such file") from None
    except (OSError, SafetensorError) as error:
        raise MimicError(f"{path}: no safetensors file, or a damaged one: {error}") from None
    set_weights(net, stored, path)


def set_weights(net: Net, stored: dict[str, Tensor], path: Path) -> None:
    """Set the state of `net`. Raises MimicError, naming the path, when it does not fit the net exactly."""
    if "logit_scale" in stored and "logit_mean" in stored:
        net.map_logits(stored["logit_scale"], stored["logit_mean"])
    expected = net.state_dict()
    for name in sorted(expected.keys() | stored.keys()):
        found, wanted = (_signature(tensors.get(name)) for tensors in (stored, expected))
        if found != wanted:
            raise MimicError(f"{path}: does not fit this net: {name} is {found}, where the net has {wanted}")
    net.load_state_dict(stored)


def _signature(tensor: Tensor | None) -> str:
    """What must agree: `float32 [64, 3, 5, 5]`."""
    return "absent" if tensor is None else f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
