"""How the learning rate moves, and when training ends: state machines fed with steps and epochs."""

import math
from typing import Any, Literal, Protocol

from mimic.training.recipe import OneCycle, Patience, Schedule

StopReason = Literal["budget", "patience", "max_cut", "max_epochs"]


class LearningRate(Protocol):
    """What the loop asks of a schedule. Steps count from 0 over the whole training."""

    @property
    def planned_epochs(self) -> int | None:
        """None: the validation error decides."""

    def rate(self, step: int) -> float:
        """The learning rate of one step."""

    def after_epoch(self, validation_error: float) -> StopReason | None:
        """Take note of a finished epoch; why training ends here, or None to go on."""

    def state(self) -> dict[str, Any]:
        """Everything that changes, as JSON."""

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state`."""


def learning_rate(schedule: Schedule, peak: float, steps_per_epoch: int) -> LearningRate:
    """The state machine of a schedule's parameters; `peak` is the greatest learning rate."""
    if isinstance(schedule, OneCycle):
        return CyclicRate(schedule, peak, steps_per_epoch)
    return PatientRate(schedule, peak)


class CyclicRate:
    """A fixed budget of epochs: a linear rise from 0 to the peak, then a cosine down to 0. Ours.

    A step takes the rate at its midpoint, so that neither the first nor the last is spent at 0.
    """

    def __init__(self, schedule: OneCycle, peak: float, steps_per_epoch: int) -> None:
        self.planned_epochs = schedule.epochs
        self._peak = peak
        self._warmup = schedule.warmup
        self._steps = schedule.epochs * steps_per_epoch
        self._epoch = 0

    def rate(self, step: int) -> float:
        time = (step + 0.5) / self._steps
        if time < self._warmup:
            return self._peak * time / self._warmup
        return self._peak * (1 + math.cos(math.pi * (time - self._warmup) / (1 - self._warmup))) / 2

    def after_epoch(self, validation_error: float) -> StopReason | None:
        self._epoch += 1
        return "budget" if self._epoch >= self.planned_epochs else None

    def state(self) -> dict[str, Any]:
        return {"epoch": self._epoch}

    def restore(self, state: dict[str, Any]) -> None:
        self._epoch = state["epoch"]


class PatientRate:
    """The paper's schedule (appendix): the validation error decides when to halve the rate and when to stop.

    The error has dropped when it is below the least so far (ours: the paper does not say below what). A
    cut does not start the count of epochs without a drop anew; the cooldown spaces the cuts.
    """

    planned_epochs = None

    def __init__(self, schedule: Patience, peak: float) -> None:
        self._schedule = schedule
        self._peak = peak
        self._epoch = 0
        self._best_epoch = 0
        self._best_error: float | None = None
        self._cuts = 0
        self._last_cut: int | None = None

    def rate(self, step: int) -> float:
        return self._peak / 2**self._cuts

    def after_epoch(self, validation_error: float) -> StopReason | None:
        self._epoch += 1
        if self._best_error is None or validation_error < self._best_error:
            self._best_error, self._best_epoch = validation_error, self._epoch
        without_drop = self._epoch - self._best_epoch
        if without_drop >= self._schedule.patience and self._cooled():
            self._cuts, self._last_cut = self._cuts + 1, self._epoch
        if without_drop >= self._schedule.stop:
            return "patience"
        if 2**self._cuts > self._schedule.max_cut:
            return "max_cut"
        return "max_epochs" if self._epoch >= self._schedule.max_epochs else None

    def _cooled(self) -> bool:
        """Whether `cooldown` whole epochs have passed at the present rate."""
        return self._last_cut is None or self._epoch - self._last_cut >= self._schedule.cooldown

    def state(self) -> dict[str, Any]:
        return {
            "epoch": self._epoch,
            "best_epoch": self._best_epoch,
            "best_error": self._best_error,
            "cuts": self._cuts,
            "last_cut": self._last_cut,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._epoch = state["epoch"]
        self._best_epoch = state["best_epoch"]
        self._best_error = state["best_error"]
        self._cuts = state["cuts"]
        self._last_cut = state["last_cut"]
