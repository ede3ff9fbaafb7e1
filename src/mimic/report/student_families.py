"""The families of students as the report shows them: their order, their class, what a reader calls them."""

from itertools import groupby, pairwise

from mimic.nets.families import STUDENTS
from mimic.nets.family import Family
from mimic.nets.layers import BatchNorm, Conv, Dropout, Flatten, Layers, Linear, Pool, ReLU, Residual, leaves

SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
WORDS = {Conv.kind: "c", Pool.kind: "mp"}


def rank(family: str) -> int:
    """Where a family stands among all."""
    return list(STUDENTS).index(family)


def peers(family: str) -> list[str]:
    """The families that have convolutions, or those that have none, with this one."""
    is_convolutional = STUDENTS[family].is_convolutional
    return [name for name, other in STUDENTS.items() if other.is_convolutional == is_convolutional]


def convolutions(family: str) -> int:
    """How many convolutional layers a family has."""
    return sum(isinstance(layer, Conv) for layer in leaves(STUDENTS[family].hidden))


def architecture(family: Family) -> str:
    """Its layers as the paper writes them, such as c-mp-lfc-fc².

    c: convolution, mp: max-pooling, fc: hidden layer, lfc: linear bottleneck, [ ]: a block that adds to its
    input.
    """
    return _architecture(family.hidden)


def _architecture(layers: Layers) -> str:
    layers = [layer for layer in layers if not isinstance(layer, Flatten | Dropout | BatchNorm)]
    words = []
    for layer, following in pairwise([*layers, None]):
        match layer:
            case Linear():
                words.append("fc" if isinstance(following, ReLU) else "lfc")
            case Residual(layers=inside):
                words.append(f"[{_architecture(inside)}]")
            case layer if not isinstance(layer, ReLU):
                words.append(WORDS.get(layer.kind, layer.kind))
    counts = [(word, len(list(group))) for word, group in groupby(words)]
    return "-".join(word + (str(n).translate(SUPERSCRIPTS) if n > 1 else "") for word, n in counts)
