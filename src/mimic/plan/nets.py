"""What a net's cost depends on, known without torch and computed once an architecture."""

import math
from dataclasses import dataclass, field
from functools import cache

from mimic.core.tasks import StudentTask, TeacherTask
from mimic.nets.from_task import CHANNELS, layers_of
from mimic.nets.layers import BatchNorm, Conv, Dropout, Layers, Linear, count, input_shapes, multiply_adds

COPIES = 4  # of the weights while training: they, their gradients, momentum, the best so far
SAVED_COPIES = 3  # in a checkpoint: all but the gradients


@dataclass(frozen=True)
class Net:
    """An architecture as one kind of task trains it."""

    family: str  # "teacher", "conv2", …
    batch_size: int
    layers: Layers = field(repr=False)
    image_size: int
    parameters: int
    stored: int  # numbers in model.safetensors: parameters, running statistics, the input's scale
    multiply_adds: int  # of the forward pass of one image
    activations: int  # numbers that the layers of one image put out
    widest: int  # numbers into and out of its largest layer

    @property
    def kind(self) -> tuple[str, bool, bool]:
        """Nets of one kind differ in their widths alone, so that each tells the speed of the others."""
        layer_types = {type(layer) for layer in self.layers}
        return self.family, BatchNorm in layer_types, Dropout in layer_types

    @property
    def depth(self) -> int:
        """Layers with weights."""
        return sum(isinstance(layer, Conv | Linear) for layer in self.layers)


def net_of(task: TeacherTask | StudentTask, classes: int, image_size: int) -> Net:
    """The net of a task. Raises MimicError when a student's budget can't be met."""
    if isinstance(task, TeacherTask):
        architecture = ("teacher", task.batch_normalisation, task.teacher.filters, task.teacher.hidden)
        rates = task.teacher.dropout
    else:
        architecture = (task.family, task.budget, *sorted(task.student.widths.items()))
        rates = task.student.dropout
    return _net(_Architecture((*architecture, rates, task.batch_size), task), classes, image_size)


@dataclass(frozen=True)
class _Architecture:
    """A task that counts as equal to all others of the same net."""

    identity: tuple
    task: TeacherTask | StudentTask = field(compare=False)


@cache
def _net(architecture: _Architecture, classes: int, image_size: int) -> Net:
    task = architecture.task
    layers = layers_of(task, classes, image_size)
    inputs = [math.prod(shape) for shape in input_shapes(layers, CHANNELS, image_size)]
    outputs = [*inputs[1:], classes]
    parameters = count(layers, CHANNELS, image_size)
    return Net(
        family="teacher" if isinstance(task, TeacherTask) else task.family,
        batch_size=task.batch_size,
        layers=layers,
        image_size=image_size,
        parameters=parameters,
        stored=parameters + _statistics(layers, image_size) + 1,
        multiply_adds=multiply_adds(layers, CHANNELS, image_size),
        activations=sum(outputs),
        widest=max(map(sum, zip(inputs, outputs, strict=True))),
    )


def _statistics(layers: Layers, image_size: int) -> int:
    """Running means and variances of batch normalisation, and its count of batches."""
    shapes = zip(layers, input_shapes(layers, CHANNELS, image_size), strict=True)
    return sum(2 * shape[0] + 2 for layer, shape in shapes if isinstance(layer, BatchNorm))  # count: 8 bytes
