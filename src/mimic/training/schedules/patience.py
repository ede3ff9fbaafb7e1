"""The paper's schedule."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mimic.support.frozen import Frozen, Positive


class Patience(Frozen):
    """The paper's schedule: the validation error decides when to halve the rate and when to stop."""

    kind: Literal["patience"] = "patience"
    patience: Positive = 10
    """epochs without a drop before the rate is halved"""
    cooldown: Annotated[int, Field(ge=0)] = 8
    """epochs after a cut without a further cut"""
    stop: Positive = 30
    """epochs without a drop before training ends"""
    max_cut: Annotated[float, Field(gt=1)] = 2000.0
    """training ends when the rate was cut by more than this"""
    max_epochs: Positive = 1000
    """a bound of ours"""
    planned_epochs: ClassVar[None] = None

    def expected_epochs(self, share: float) -> int:
        least = min(self.stop + 1, self.max_epochs)
        return max(least, round(share * self.max_epochs))

    def start(self, peak: float, steps_per_epoch: int) -> "PatientRate":
        return PatientRate(self, peak)


class PatientRate:
    """The paper's schedule (appendix): the validation error decides when to halve the rate and when to stop.

    The error has dropped when it is below the least so far (ours: the paper does not say below what). A
    cut does not start the count of epochs without a drop anew; the cooldown spaces the cuts.
    """

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

    def after_epoch(self, validation_error: float) -> str | None:
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
