"""Validation accuracies, from what a finished or a running training leaves."""

import json
from pathlib import Path

RECORDS = ("record.json", "ensemble.json")


def read_accuracy(record: Path) -> float | None:
    """Of a trained model or of the ensemble; None of one that diverged, or where there is none to be read."""
    try:
        content = json.loads(record.read_bytes())
        if record.name == "ensemble.json":
            return float(content["trace"][-1]["accuracy"])
        return float(content["validation_accuracy"])
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None


def read_epochs(history: Path) -> list[dict]:
    """The epochs of a training; a line that is still being written, or is damaged, counts for none."""
    try:
        lines = history.read_bytes().split(b"\n")[:-1]
        epochs = [json.loads(line) for line in lines if line]
    except (OSError, ValueError):
        return []
    return [epoch for epoch in epochs if isinstance(epoch, dict)]
