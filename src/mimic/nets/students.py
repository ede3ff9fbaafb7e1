"""The students' architectures: one class a family, registered by the name that params.yaml uses.

A new family is one more class here and its name in `mimic.core.parameters.FAMILIES`. It says which
widths params.yaml gives and which one the budget decides, and lists its hidden layers; counting,
solving and building follow from that.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from mimic.core.parameters import StudentDropout
from mimic.nets.layers import Conv, Flatten, Layers, Linear, Pool, ReLU, dropout

Widths = Mapping[str, int]


class Family(ABC):
    """A student's architecture up to its widths: filters of convolutions, units of other layers."""

    name: ClassVar[str]
    given: ClassVar[tuple[str, ...]]  # the widths that params.yaml gives, in the net's order
    dependent: ClassVar[str | None]  # the width that the budget decides; None: all, `given` their ratios

    @abstractmethod
    def hidden(self, widths: Widths, rates: StudentDropout) -> Layers:
        """All layers but the output; a rate of zero leaves its dropout out."""

    def layers(self, widths: Widths, classes: int, rates: StudentDropout) -> Layers:
        """The net that `widths`, given and solved, make; its output is linear."""
        return *self.hidden(widths, rates), Linear(classes)


REGISTRY: dict[str, Family] = {}


def register(family: type[Family]) -> type[Family]:
    """Make a family known by its name."""
    REGISTRY[family.name] = family()
    return family


def conv(filters: int) -> Layers:
    return Conv(filters, kernel=5), ReLU()


def pool(rate: float, size: int = 2) -> Layers:
    return Pool(size), *dropout(rate)


def fc(units: int, rate: float) -> Layers:
    return Linear(units), ReLU(), *dropout(rate)


@register
class Mlp1(Family):
    """lfc-fc: a linear bottleneck spares the weights between pixels and a wide hidden layer."""

    name = "mlp1"
    given = ("fc",)
    dependent = "lfc"

    def hidden(self, widths: Widths, rates: StudentDropout) -> Layers:
        return Flatten(), Linear(widths["lfc"]), *fc(widths["fc"], rates.fc1)


class DeepMlp(Family):
    """lfc-fcN: the paper searches the ratios of the hidden units; the bottleneck's among them is ours.

    So is dropout after every hidden layer: the paper regularises convolutional students alone.
    """

    dependent = None

    def hidden(self, widths: Widths, rates: StudentDropout) -> Layers:
        bottleneck, *hidden = (widths[name] for name in self.given)
        return Flatten(), Linear(bottleneck), *(layer for units in hidden for layer in fc(units, rates.fc1))


@register
class Mlp2(DeepMlp):
    """lfc-fc2"""

    name = "mlp2"
    given = ("lfc", "fc1", "fc2")


@register
class Mlp3(DeepMlp):
    """lfc-fc3"""

    name = "mlp3"
    given = ("lfc", "fc1", "fc2", "fc3")


@register
class Mlp4(DeepMlp):
    """lfc-fc4"""

    name = "mlp4"
    given = ("lfc", "fc1", "fc2", "fc3", "fc4")


@register
class Mlp5(DeepMlp):
    """lfc-fc5"""

    name = "mlp5"
    given = ("lfc", "fc1", "fc2", "fc3", "fc4", "fc5")


@register
class Conv1(Family):
    """c-mp-lfc-fc, the only one that pools 3x3"""

    name = "conv1"
    given = ("c", "fc")
    dependent = "lfc"

    def hidden(self, widths: Widths, rates: StudentDropout) -> Layers:
        return (
            *conv(widths["c"]), *pool(rates.conv1, size=3),
            Flatten(), Linear(widths["lfc"]), *fc(widths["fc"], rates.fc1),
        )  # fmt: skip


@register
class Conv2(Family):
    """c-mp-c-mp-fc"""

    name = "conv2"
    given = ("c1", "c2")
    dependent = "fc"

    def hidden(self, widths: Widths, rates: StudentDropout) -> Layers:
        return (
            *conv(widths["c1"]), *pool(rates.conv1),
            *conv(widths["c2"]), *pool(rates.conv2),
            Flatten(), *fc(widths["fc"], rates.fc1),
        )  # fmt: skip


@register
class Conv3(Family):
    """c-mp-c-mp-c-mp-fc"""

    name = "conv3"
    given = ("c1", "c2", "c3")
    dependent = "fc"

    def hidden(self, widths: Widths, rates: StudentDropout) -> Layers:
        return (
            *conv(widths["c1"]), *pool(rates.conv1),
            *conv(widths["c2"]), *pool(rates.conv2),
            *conv(widths["c3"]), *pool(rates.conv3),
            Flatten(), *fc(widths["fc"], rates.fc1),
        )  # fmt: skip


@register
class Conv4(Family):
    """c-mp-c-c-mp-c-mp-fc"""

    name = "conv4"
    given = ("c1", "c2", "c3", "c4")
    dependent = "fc"

    def hidden(self, widths: Widths, rates: StudentDropout) -> Layers:
        return (
            *conv(widths["c1"]), *pool(rates.conv1),
            *conv(widths["c2"]), *conv(widths["c3"]), *pool(rates.conv2),
            *conv(widths["c4"]), *pool(rates.conv3),
            Flatten(), *fc(widths["fc"], rates.fc1),
        )  # fmt: skip
