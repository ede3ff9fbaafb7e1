"""What a net's cost depends on, known without torch."""

from dataclasses import dataclass, field
from functools import cache, cached_property

from mimic.data.image_parameters import CHANNELS
from mimic.nets import layers as nets
from mimic.training.recipe import ModelTask, hyperparameters

SAVED_COPIES = 2  # of the weights in a checkpoint: they, the best so far; and the optimiser's


@dataclass(frozen=True)
class PlannedNet:
    """An architecture as one kind of task trains it. Counts are of one image."""

    family: str  # "teacher", "conv2", …
    batch_size: int
    layers: nets.Layers = field(repr=False)
    image_size: int
    optimiser_copies: int = 1  # of the weights, in its state

    @cached_property
    def kind(self) -> tuple[str, bool, bool]:
        """Nets of one kind differ in their widths alone, so that each tells the speed of the others."""
        layer_types = set(map(type, nets.leaves(self.layers)))
        return self.family, nets.BatchNorm in layer_types, nets.Dropout in layer_types

    @cached_property
    def parameters(self) -> int:
        return nets.count(self.layers, CHANNELS, self.image_size)

    @cached_property
    def multiply_adds(self) -> int:
        """Of the forward pass."""
        return nets.multiply_adds(self.layers, CHANNELS, self.image_size)

    @cached_property
    def shapes(self) -> list[nets.Shape]:
        """Of the image, and of what each layer puts out."""
        image = (CHANNELS, self.image_size, self.image_size)
        inputs = [shape for _, shape in nets.leaves_with_inputs(self.layers, image)]
        return [*inputs, nets.output(self.layers, image)]

    @cached_property
    def depth(self) -> int:
        """Layers with weights."""
        return sum(isinstance(layer, nets.Conv | nets.Linear) for layer in nets.leaves(self.layers))

    @cached_property
    def stored(self) -> int:
        """Numbers in model.safetensors: parameters, the input's scale, running statistics and their count."""
        layers = zip(nets.leaves(self.layers), self.shapes[1:], strict=True)
        statistics = (2 * shape[0] + 2 for layer, shape in layers if isinstance(layer, nets.BatchNorm))
        return self.parameters + 1 + sum(statistics)  # a count takes 8 bytes

    @property
    def checkpoint(self) -> float:
        """Bytes."""
        return 4.0 * (SAVED_COPIES + self.optimiser_copies) * self.parameters


_planned = cache(PlannedNet)  # so that a net is counted once


def net_of(task: ModelTask, image_size: int) -> PlannedNet:
    """The net of a task."""
    family, copies = getattr(task, "family", "teacher"), hyperparameters(task).optimiser.copies
    return _planned(family, task.batch_size, task.net, image_size, copies)
