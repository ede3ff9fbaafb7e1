"""A net as data: a tuple of layers whose shapes, parameters and cost are known without torch.

The shape of one image's activations is (channels, height, width), or (units,) once they are flat.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import reduce
from math import prod
from typing import Annotated, Literal

from pydantic import Field

from mimic.support.errors import MimicError

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """What keeps the shape of its input and has nothing to learn, unless it says otherwise.

    In a family's template a number may be a name, such as a width's; `fill` puts the number there.
    """

    def output(self, shape: Shape) -> Shape:
        return shape

    def parameters(self, shape: Shape) -> int:
        return 0

    def multiply_adds(self, shape: Shape) -> int:
        return 0


@dataclass(frozen=True)
class Conv(Layer):
    """Convolution with `kernel` x `kernel` filters, stride 1, zero-padded to keep height and width."""

    filters: int | str
    kernel: int
    bias: bool = True
    kind: Literal["conv"] = "conv"

    def output(self, shape: Shape) -> Shape:
        _, height, width = shape
        return self.filters, height, width

    def parameters(self, shape: Shape) -> int:
        return self.filters * (shape[0] * self.kernel**2 + self.bias)

    def multiply_adds(self, shape: Shape) -> int:
        return self.filters * prod(shape) * self.kernel**2


@dataclass(frozen=True)
class Whitening(Layer):
    """A convolution that is set, not learnt: patches of `kernel` x `kernel` pixels, decorrelated.

    Its filters are the directions in which the training images' patches vary, each with both signs
    (Jordan 2024).
    """

    kernel: int
    kind: Literal["whitening"] = "whitening"

    def output(self, shape: Shape) -> Shape:
        channels, height, width = shape
        return 2 * channels * self.kernel**2, height - self.kernel + 1, width - self.kernel + 1

    def multiply_adds(self, shape: Shape) -> int:
        return prod(self.output(shape)) * shape[0] * self.kernel**2


@dataclass(frozen=True)
class Pool(Layer):
    """Max-pooling, `size` x `size` without overlap; rows and columns left over are dropped (ours)."""

    size: int
    kind: Literal["pool"] = "pool"

    def output(self, shape: Shape) -> Shape:
        channels, height, width = shape
        if min(height, width) < self.size:
            raise MimicError(
                f"data.image_size: too small for this net: {self.size}x{self.size} max-pooling "
                f"meets maps of {height}x{width}"
            )
        return channels, height // self.size, width // self.size


@dataclass(frozen=True)
class Flatten(Layer):
    """Maps to one vector."""

    kind: Literal["flatten"] = "flatten"

    def output(self, shape: Shape) -> Shape:
        return (prod(shape),)


@dataclass(frozen=True)
class Linear(Layer):
    """A fully connected layer with biases."""

    units: int | str
    kind: Literal["linear"] = "linear"

    def output(self, shape: Shape) -> Shape:
        return (self.units,)

    def parameters(self, shape: Shape) -> int:
        (inputs,) = shape
        return self.units * (inputs + 1)

    def multiply_adds(self, shape: Shape) -> int:
        (inputs,) = shape
        return self.units * inputs


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Batch normalisation of each channel."""

    kind: Literal["batchnorm"] = "batchnorm"

    def parameters(self, shape: Shape) -> int:
        return 2 * shape[0]  # scale and shift


@dataclass(frozen=True)
class ReLU(Layer):
    """max(x, 0)."""

    kind: Literal["relu"] = "relu"


@dataclass(frozen=True)
class Dropout(Layer):
    """Each activation is zeroed with probability `rate` while training."""

    rate: float | str
    kind: Literal["dropout"] = "dropout"


@dataclass(frozen=True)
class Residual(Layer):
    """What its layers make of the input is added to the input (He et al. 2016); they keep its shape."""

    layers: "Layers"
    kind: Literal["residual"] = "residual"

    def output(self, shape: Shape) -> Shape:
        inside = output(self.layers, shape)
        if inside != shape:
            raise MimicError(f"a residual block makes {inside} of {shape}: the two can not be added")
        return shape


AnyLayer = Annotated[
    Conv | Whitening | Pool | Flatten | Linear | BatchNorm | ReLU | Dropout | Residual,
    Field(discriminator="kind"),
]
Layers = tuple[AnyLayer, ...]


def fill(template: Layers, numbers: Mapping[str, float]) -> Layers:
    """The layers of a template with numbers in place of names; dropout that drops nothing is left out."""
    filled = (_filled(layer, numbers) for layer in template)
    return tuple(layer for layer in filled if not (isinstance(layer, Dropout) and not layer.rate))


def _filled(layer: AnyLayer, numbers: Mapping[str, float]) -> AnyLayer:
    if isinstance(layer, Residual):
        return Residual(fill(layer.layers, numbers))
    named = {name: numbers[value] for name, value in named_numbers(layer).items()}
    return replace(layer, **named) if named else layer


def named_numbers(layer: Layer) -> dict[str, str]:
    """The fields of a template's layer that hold a name, and the name."""
    values = {field.name: getattr(layer, field.name) for field in fields(layer) if field.name != "kind"}
    return {name: value for name, value in values.items() if isinstance(value, str)}


def output(layers: Layers, shape: Shape) -> Shape:
    """The shape that layers in a row make of `shape`. Raises MimicError when it is too small to be pooled."""
    return reduce(lambda shape, layer: layer.output(shape), layers, shape)


def leaves(layers: Layers) -> Iterator[Layer]:
    """All layers that hold no others, in the order of the net."""
    for layer in layers:
        yield from leaves(layer.layers) if isinstance(layer, Residual) else [layer]


def leaves_with_inputs(layers: Layers, shape: Shape) -> Iterator[tuple[Layer, Shape]]:
    """The same, and the shape that each receives, the first `shape`; errors as of `output`."""
    for leaf in leaves(layers):
        yield leaf, shape
        shape = leaf.output(shape)


def count(layers: Layers, channels: int, size: int) -> int:
    """Parameters that are learnt: weights, biases, batch normalisation's scales and shifts."""
    pairs = leaves_with_inputs(layers, (channels, size, size))
    return sum(layer.parameters(shape) for layer, shape in pairs)


def multiply_adds(layers: Layers, channels: int, size: int) -> int:
    """Multiply-adds of one forward pass of one image, in convolutions and fully connected layers.

    Products with the zero padding count; biases, batch normalisation, ReLU and pooling do not.
    """
    pairs = leaves_with_inputs(layers, (channels, size, size))
    return sum(layer.multiply_adds(shape) for layer, shape in pairs)
