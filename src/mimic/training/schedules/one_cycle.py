"""A schedule of a fixed budget, ours."""

import math
from typing import Annotated, Any, Literal

from pydantic import Field

from mimic.support.frozen import Frozen, Positive


class OneCycle(Frozen):
    """A fixed budget: the learning rate rises linearly, then falls to zero along a cosine. Ours."""

    kind: Literal["one_cycle"] = "one_cycle"
    epochs: Positive
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """share of the steps that the rise takes"""

    @property
    def planned_epochs(self) -> int:
        return self.epochs

    def expected_epochs(self, share: float) -> int:
        return self.epochs

    def start(self, peak: float, steps_per_epoch: int) -> "CyclicRate":
        return CyclicRate(self, peak, steps_per_epoch)


class CyclicRate:
    """A linear rise from 0 to the peak, then a cosine down to 0.

    A step takes the rate at its midpoint, so that neither the first nor the last is spent at 0.
    """

    def __init__(self, schedule: OneCycle, peak: float, steps_per_epoch: int) -> None:
        self._epochs = schedule.epochs
        self._peak = peak
        self._warmup = schedule.warmup
        self._steps = schedule.epochs * steps_per_epoch
        self._epoch = 0

    def rate(self, step: int) -> float:
        time = (step + 0.5) / self._steps
        if time < self._warmup:
            return self._peak * time / self._warmup
        return self._peak * (1 + math.cos(math.pi * (time - self._warmup) / (1 - self._warmup))) / 2

    def after_epoch(self, validation_error: float) -> str | None:
        self._epoch += 1
        return "budget" if self._epoch >= self._epochs else None

    def state(self) -> dict[str, Any]:
        return {"epoch": self._epoch}

    def restore(self, state: dict[str, Any]) -> None:
        self._epoch = state["epoch"]
