"""A family of nets as data: a template of layers, some of whose widths are given and some solved."""

from collections.abc import Mapping
from typing import Literal

from mimic.nets.layers import Conv, Dropout, Layers, Linear, fill, leaves, named_numbers
from mimic.support.errors import MimicError
from mimic.support.frozen import Frozen

Widths = Mapping[str, int]


class Family(Frozen):
    """An architecture up to its widths, filters of convolutions and units of other layers.

    It reaches a job through the job's task, so that a family more, or another, makes no job stale.
    """

    name: str
    given: tuple[str, ...]
    """the widths that params.yaml gives, in the net's order"""
    widths: Literal["dependent", "ratios", "fixed"]
    """dependent: the budget decides one more; ratios: it scales those given; fixed: there is no budget"""
    dependent: str | None = None
    """the width that the budget decides"""
    hidden: Layers
    """all layers but the output, numbers by name: a width's, or a dropout rate's place"""

    def layers(self, widths: Widths, classes: int, rates: Mapping[str, float]) -> Layers:
        """The net that `widths`, given and solved, make; its output is linear."""
        return *fill(self.hidden, {**_places(rates), **widths}), Linear(classes)

    def check_dropout(self, rates: Mapping[str, float]) -> None:
        """Raise MimicError for a rate without a place in the net: it would be ignored silently."""
        named = {
            name
            for layer in leaves(self.hidden)
            if isinstance(layer, Dropout)
            for name in named_numbers(layer).values()
        }
        for place, rate in rates.items():
            if rate and f"dropout.{place}" not in named:
                raise MimicError(f"dropout.{place}: must be 0, since {self.name} has no place for it")

    @property
    def is_convolutional(self) -> bool:
        return any(isinstance(layer, Conv) for layer in leaves(self.hidden))


def _places(rates: Mapping[str, float]) -> dict[str, float]:
    return {f"dropout.{place}": rate for place, rate in rates.items()}
