"""The teachers' architecture, c2-mp-c2-mp-c4-mp-fc2 (paper, appendix)."""

from mimic.core.parameters import Teacher
from mimic.nets.layers import BatchNorm, Conv, Flatten, Layers, Linear, Pool, ReLU, dropout

CONVOLUTIONS = (2, 2, 4)  # in each group


def _convolution(filters: int, batch_normalisation: bool) -> Layers:
    if batch_normalisation:  # its shift makes the convolution's bias redundant
        return Conv(filters, kernel=3, bias=False), BatchNorm(), ReLU()
    return Conv(filters, kernel=3), ReLU()


def teacher_layers(teacher: Teacher, classes: int, batch_normalisation: bool) -> Layers:
    """Eight 3x3 convolutions in three groups, two hidden layers, and the output layer.

    Max-pooling 2x2 ends each group; dropout follows each pooling and each hidden layer.
    """
    rates = teacher.dropout
    layers = []
    for convolutions, filters, rate in zip(
        CONVOLUTIONS, teacher.filters, (rates.conv1, rates.conv2, rates.conv3), strict=True
    ):
        layers += convolutions * _convolution(filters, batch_normalisation)
        layers += [Pool(2), *dropout(rate)]
    layers.append(Flatten())
    for rate in (rates.fc1, rates.fc2):
        layers += [Linear(teacher.hidden), ReLU(), *dropout(rate)]
    return *layers, Linear(classes)
