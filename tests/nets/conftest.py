from collections.abc import Callable

import pytest

from mimic.nets.layers import Conv, Layers, Linear, Pool, ReLU


@pytest.fixture(scope="session")
def described() -> Callable[[Layers], str]:
    """Layers in the paper's notation with widths, output layer left out: `c48-mp-c64-mp-fc220`.

    A fully connected layer without ReLU is a linear bottleneck, `lfc`.
    """

    def describe(layers: Layers) -> str:
        words = []
        for layer in layers:
            match layer:
                case Conv(filters=filters):
                    words.append(f"c{filters}")
                case Pool():
                    words.append("mp")
                case Linear(units=units):
                    words.append(f"lfc{units}")
                case ReLU():
                    words[-1] = words[-1].removeprefix("l")
        return "-".join(words[:-1])

    return describe
