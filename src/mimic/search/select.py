"""Which trials of a search were best, and what is written down of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from mimic.search.points import Dimension, Point, apply_point
from mimic.support.errors import MimicError
from mimic.training.recipe import Student, Teacher


@dataclass(frozen=True)
class Trial:
    """A trial and what became of it."""

    name: str
    round: int
    index: int  # within its round, from 1
    origin: str
    point: Point
    record: dict  # the content of its record.json

    @property
    def finished(self) -> bool:
        return self.record["status"] == "finished"

    @property
    def validation_error(self) -> float | None:
        """A fraction; None if the trial diverged, whatever it had reached before."""
        return 1 - self.record["validation_accuracy"] if self.finished else None


def rank(search: str, trials: Sequence[Trial]) -> list[Trial]:
    """The trials that finished, best first: by validation error, then validation loss, then their order.

    Raises MimicError when none finished.
    """
    finished = [trial for trial in trials if trial.finished]
    if not finished:
        raise MimicError(
            f"search {search}: all {len(trials)} trials diverged; lower the learning rates in its space"
        )
    return sorted(finished, key=lambda t: (t.validation_error, t.record["validation_loss"], t.round, t.index))


def table(trials: Sequence[Trial], chance: float) -> list[dict]:
    """The rows of trials.csv: what each trial was and did, then a column a hyperparameter of its point.

    `chance` is the error of guessing, a fraction: that of trials that diverged. They have no loss (None).
    """
    return [_row(trial, chance) for trial in trials]


def _row(trial: Trial, chance: float) -> dict:
    record = trial.record
    return {
        "trial": trial.name,
        "round": trial.round,
        "index": trial.index,
        "origin": trial.origin,
        "status": record["status"],
        "stop": record["stop"],
        "validation_error": trial.validation_error if trial.finished else chance,
        "validation_loss": record["validation_loss"] if trial.finished else None,
        **{name: record[name] for name in ("epochs", "seconds", "training_flops", "parameters")},
        **trial.point,
    }


def selection(
    search: str,
    algorithm: str,
    trials: Sequence[Trial],
    dimensions: Sequence[Dimension],
    default: Teacher | Student,
    averaged: int,
) -> dict:
    """The content of selection.json: the best trial, the `averaged` best, and what they were chosen from.

    `default` is complete; what the best point leaves open is its. Raises MimicError when no trial finished.
    """
    best, *_ = ranked = rank(search, trials)
    chosen = ranked[:averaged]
    return {
        "search": search,
        "algorithm": algorithm,
        **{name: best.record[name] for name in ("kind", "family", "budget", "arm")},
        "best": best.name,
        "default": next(trial.name for trial in trials if trial.origin == "default"),
        "averaged": [trial.name for trial in chosen],
        "point": best.point,
        "hyperparameters": apply_point(default, best.point).model_dump(mode="json"),
        "net": best.record["hyperparameters"]["net"],
        "space": {d.name: {"low": d.low, "high": d.high, "log": d.log} for d in dimensions},
        "records": {trial.name: trial.record for trial in chosen},
    }
