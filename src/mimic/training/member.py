"""One training among those that share a stream: its trainer, its checkpoint, its history, its words."""

import functools
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from mimic.support import messages
from mimic.support.interrupt import StopFlag
from mimic.training import checkpoint
from mimic.training.outcome import Outcome, append_history, write_history
from mimic.training.predict import measure, predict
from mimic.training.streams import Stream
from mimic.training.trainer import FitTask, State, Trainer

CHECKPOINT = "checkpoint.safetensors"
HISTORY = "history.jsonl"
QUIET = 10.0  # seconds between lines of progress


@dataclass(frozen=True)
class Validation:
    """What chooses the best epoch and drives the schedule."""

    images_NCHW: Tensor  # grey levels 0..255, as `predict` takes them
    labels_N: Tensor  # int64


@dataclass(frozen=True, eq=False)
class Member:
    """A net to train, how, and where what belongs to it alone is kept."""

    net: nn.Module
    task: FitTask
    folder: Path  # of its checkpoint and history.jsonl
    key: str  # says whether a checkpoint found there is its own
    progress: Callable[[str], None]


def _isolated(method: Callable[..., None]) -> Callable[..., None]:
    """What goes wrong in `method` is kept as the member's failure, and the other members go on."""

    @functools.wraps(method)
    def isolated(self: "Training", *arguments: Any) -> None:
        if self.failure is not None:
            return
        try:
            method(self, *arguments)
        except Exception as error:
            traceback.clear_frames(error.__traceback__)  # their variables hold the memory of a step
            self.failure = error

    return isolated


class Training:
    """A member at work. Its methods raise nothing: `failure` holds what went wrong."""

    def __init__(self, member: Member, stream: Stream) -> None:
        """Go on from the member's checkpoint, if it has one."""
        self.member = member
        self.failure: Exception | None = None
        self.outcome: Outcome | None = None
        self._steps_per_epoch = stream.steps_per_epoch
        self._said = time.monotonic()
        self._start(stream)

    @_isolated
    def _start(self, stream: Stream) -> None:
        member = self.member
        self.trainer = Trainer(member.net, member.task, stream.device, stream.steps_per_epoch)
        saved = checkpoint.load(member.folder / CHECKPOINT, member.key, self._say)
        if saved is not None:
            self.trainer.restore(saved)
            if self.state.stop is None:
                self._say(messages.resumed(self.place))
        # After a kill the file may be a line behind the checkpoint, or belong to another training.
        write_history(member.folder / HISTORY, self.state.history)

    @property
    def state(self) -> State:
        return self.trainer.state

    @property
    def position(self) -> tuple[int, int]:
        """Epoch and step of the batch that it waits for, counted from 0."""
        return self.trainer.epoch, self.state.step

    @property
    def place(self) -> str:
        """The position, for people."""
        return messages.position(self._epoch(), self.state.step, self._steps_per_epoch)

    @property
    def is_over(self) -> bool:
        """Whether it has ended, diverged or failed."""
        return self.failure is not None or self.state.stop is not None

    @_isolated
    def step(self, images_NCHW: Tensor, targets: Tensor) -> None:
        """Update the weights and, now and then, look whether training has diverged."""
        self.trainer.step(images_NCHW, targets)
        if self.trainer.check_is_due:
            self.trainer.check()

    @_isolated
    def conclude(self, validation: Validation, stop: StopFlag) -> None:
        """Validate if an epoch is complete and nobody asks to stop; save."""
        finished = self.trainer.epoch
        if not self.is_over and self.state.step == self._steps_per_epoch and stop.signum is None:
            self._validate(validation)
        folder, key = self.member.folder, self.member.key
        checkpoint.save(folder / CHECKPOINT, key, self.trainer.tensors, self.trainer.saved_state())
        if self.trainer.epoch > finished:
            append_history(folder / HISTORY, self.state.history[-1])

    @_isolated
    def end(self) -> None:
        """Leave the net with the weights of its best epoch, and tell the outcome."""
        self.trainer.use_best()
        self.outcome = _outcome(self.state)
        self._say(_verdict(self.outcome))

    def tell(self) -> None:
        """Say how it goes, unless something was said a moment ago. Waits for the device."""
        if time.monotonic() - self._said >= QUIET:
            self._say(f"{self.place}  {self._pace()}")

    def _validate(self, validation: Validation) -> None:
        trainer, started = self.trainer, time.perf_counter()
        logits_NK = predict(trainer.net, validation.images_NCHW, trainer.task.precision, trainer.device)
        error, loss = measure(logits_NK, validation.labels_N)
        line = messages.validated(self._epoch(), self._pace(), error)
        trainer.end_epoch(error, loss, time.perf_counter() - started)
        if time.monotonic() - self._said >= QUIET:
            self._say(line)

    def _say(self, line: str) -> None:
        self._said = time.monotonic()
        self.member.progress(line)

    def _epoch(self) -> str:
        return messages.epoch(self.trainer.epoch + 1, self.trainer.task.schedule.planned_epochs)

    def _pace(self) -> str:
        state = self.state
        return messages.pace(self.trainer.mean_loss(), state.epoch_images / state.epoch_seconds)


def _outcome(state: State) -> Outcome:
    images = state.images + state.epoch_images  # with the epoch that diverged
    training_seconds = state.training_seconds + state.epoch_seconds
    return Outcome(
        status="finished" if state.reason is None else "diverged",
        reason=state.reason,
        stop=state.stop,  # type: ignore[arg-type]
        history=tuple(state.history),
        best_epoch=state.best_epoch,
        validation_accuracy=None if state.best_error is None else 1 - state.best_error,
        validation_loss=state.best_loss,
        images=images,
        seconds=state.seconds + state.epoch_seconds,
        images_per_second=images / training_seconds,
    )


def _verdict(outcome: Outcome) -> str:
    if outcome.status == "diverged":
        return messages.diverged(outcome.reason)  # type: ignore[arg-type]
    return messages.ended(len(outcome.history), outcome.stop, outcome.validation_accuracy, outcome.best_epoch)  # type: ignore[arg-type]
