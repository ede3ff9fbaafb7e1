"""What is kept of a training for people and programs: a line an epoch, and a summary."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mimic.support.publish import write_text


@dataclass(frozen=True)
class Outcome:
    """How a training ended. The net itself holds the best weights."""

    status: Literal["finished", "diverged"]
    reason: str | None  # what happened, if it diverged
    stop: str  # why it ended: budget, patience, max_cut, max_epochs, hopeless or diverged
    history: tuple[dict[str, Any], ...]  # finished epochs
    best_epoch: int  # 0: diverged before one was finished, the weights are the initial ones
    validation_accuracy: float | None  # of the best epoch, a fraction; None without one
    validation_loss: float | None  # of the best epoch, cross-entropy
    images: int  # trained on, counted once an epoch
    seconds: float  # with validation, without what interruptions lost
    images_per_second: float  # of the training steps alone


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Which net was trained, and how. Counts as in nets/."""

    kind: Literal["teacher", "student"]
    name: str
    family: str  # "teacher", "conv2", …
    budget: str | None = None
    arm: str | None = None
    seed: int
    parameters: int
    multiply_adds: int  # of the forward pass of one image
    hyperparameters: dict[str, Any]


def summary(subject: Subject, outcome: Outcome) -> dict[str, Any]:
    """The content of record.json."""
    return {
        "status": outcome.status,
        "reason": outcome.reason,
        "kind": subject.kind,
        "name": subject.name,
        "family": subject.family,
        "budget": subject.budget,
        "arm": subject.arm,
        "seed": subject.seed,
        "parameters": subject.parameters,
        "multiply_adds": subject.multiply_adds,
        "hyperparameters": subject.hyperparameters,
        "epochs": len(outcome.history),
        "best_epoch": outcome.best_epoch,
        "validation_accuracy": outcome.validation_accuracy,
        "validation_loss": outcome.validation_loss,
        "seconds": round(outcome.seconds, 3),
        "images_per_second": round(outcome.images_per_second, 1),
        "training_flops": training_flops(subject.multiply_adds, outcome.images),
        "stop": outcome.stop,
    }


def training_flops(multiply_adds: int, images: int) -> float:
    """Floating-point operations: two a multiply-add, and a step costs three forward passes."""
    return 3.0 * 2.0 * multiply_adds * images


def write_history(path: Path, history: Iterable[dict[str, Any]]) -> None:
    """Publish history.jsonl: one JSON object an epoch."""
    write_text(path, "".join(_line(epoch) for epoch in history))


def append_history(path: Path, epoch: dict[str, Any]) -> None:
    """Add an epoch to a history.jsonl that somebody may be following."""
    with path.open("a", encoding="utf-8") as file:
        file.write(_line(epoch))


def _line(epoch: dict[str, Any]) -> str:
    return json.dumps(epoch, allow_nan=False) + "\n"
