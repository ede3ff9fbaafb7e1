"""The training loop of teachers and students."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor, nn

from mimic.training import checkpoint
from mimic.training.interrupt import Interrupted, StopFlag
from mimic.training.predict import measure, predict
from mimic.training.record import Outcome, append_history, write_history
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


def fit(
    net: nn.Module,
    stream: Stream,
    validation: Validation,
    task: FitTask,
    folder: Path,
    key: str,
    progress: Callable[[str], None],
    stop: StopFlag,
) -> Outcome:
    """Train `net` on the stream's device and leave it there with the weights of its best validation epoch.

    The state is saved in `folder` after each epoch and when `stop` is raised; called again with the same
    arguments and `key`, training goes on from there, to the same bits as without the interruption.
    `folder` also holds history.jsonl, a line an epoch as they finish. Whoever calls must be alone with it,
    and may remove it when the result is safe.

    Raises Interrupted when stopped. A training that diverges is no error but an outcome.
    """
    trainer = Trainer(net, task, stream.device, stream.steps_per_epoch)
    return _Loop(trainer, stream, validation, Path(folder), key, _Narrator(progress), stop).run()


@dataclass
class _Narrator:
    """Lines of progress, not too many."""

    progress: Callable[[str], None]
    last: float = field(default_factory=time.monotonic)

    def always(self, line: str) -> None:
        self.last = time.monotonic()
        self.progress(line)

    def at_times(self, line: str) -> None:
        if time.monotonic() - self.last >= QUIET:
            self.always(line)


@dataclass
class _Loop:
    trainer: Trainer
    stream: Stream
    validation: Validation
    folder: Path
    key: str
    narrator: _Narrator
    stop: StopFlag

    def run(self) -> Outcome:
        trainer = self.trainer
        self._resume()
        while trainer.state.stop is None:
            finished = trainer.epoch
            self._take_steps()
            if trainer.state.stop is None and self.stop.signum is None:
                self._validate()
            self._save()
            if trainer.epoch > finished:
                append_history(self.folder / HISTORY, trainer.state.history[-1])
            if trainer.state.stop is None and self.stop.signum is not None:
                raise Interrupted(self.stop.signum, f"in {self._place()}")
        trainer.use_best()
        outcome = _outcome(trainer.state)
        self.narrator.always(_verdict(outcome))
        return outcome

    def _resume(self) -> None:
        saved = checkpoint.load(self.folder / CHECKPOINT, self.key, self.narrator.always)
        if saved is not None:
            self.trainer.restore(saved)
            if self.trainer.state.stop is None:
                self.narrator.always(f"going on from {self._place()}")
        # After a kill the file may be a line behind the checkpoint, or belong to another training.
        write_history(self.folder / HISTORY, self.trainer.state.history)

    def _take_steps(self) -> None:
        """Train to the end of the epoch, or until it diverges or is stopped."""
        trainer, state = self.trainer, self.trainer.state
        mark = time.perf_counter()
        for images_NCHW, targets in self.stream.batches(trainer.epoch, first=state.step):
            trainer.step(images_NCHW, targets)
            stopped, due = self.stop.signum is not None, trainer.check_is_due
            if due:
                trainer.check()
            if not (due or stopped):
                continue
            now = time.perf_counter()
            state.epoch_seconds, mark = state.epoch_seconds + now - mark, now
            if state.stop is not None or stopped:
                return
            self.narrator.at_times(f"{self._place()}  {self._pace()}")

    def _validate(self) -> None:
        trainer, started = self.trainer, time.perf_counter()
        logits_NK = predict(trainer.net, self.validation.images_NCHW, trainer.task.precision, trainer.device)
        error, loss = measure(logits_NK, self.validation.labels_N)
        line = f"{self._epoch()}  {self._pace()}  validation error {100 * error:.1f} %"
        trainer.end_epoch(error, loss, time.perf_counter() - started)
        self.narrator.at_times(line)

    def _save(self) -> None:
        checkpoint.save(self.folder / CHECKPOINT, self.key, self.trainer.tensors, self.trainer.saved_state())

    def _epoch(self) -> str:
        planned = self.trainer.schedule.planned_epochs
        return f"epoch {self.trainer.epoch + 1}" + (f"/{planned}" if planned else "")

    def _place(self) -> str:
        return f"{self._epoch()}  step {self.trainer.state.step}/{self.stream.steps_per_epoch}"

    def _pace(self) -> str:
        state = self.trainer.state
        return f"loss {self.trainer.mean_loss():.3f}  {state.epoch_images / state.epoch_seconds:.0f} images/s"


def _outcome(state: State) -> Outcome:
    images = state.images + state.epoch_images  # with the epoch that diverged
    training_seconds = state.training_seconds + state.epoch_seconds
    return Outcome(
        status="finished" if state.reason is None else "diverged",
        reason=state.reason,
        stop=state.stop,
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
        return f"diverged: {outcome.reason}"
    return (
        f"ended after {len(outcome.history)} epochs ({outcome.stop}); best validation error "
        f"{100 * (1 - outcome.validation_accuracy):.1f} % in epoch {outcome.best_epoch}"
    )
