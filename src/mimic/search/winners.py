"""Which trials of a search were best, and what is written down of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from mimic.search.points import Dimension, Point, apply_point, default_of, dimensions_of
from mimic.support import messages
from mimic.support.context import Context
from mimic.support.errors import MimicError
from mimic.support.publish import write_json
from mimic.training.models import read_record, write_bundle
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
    def validation_error(self) -> float:
        """Of a trial that finished, a fraction."""
        return 1 - self.record["validation_accuracy"]


def select_trials(context: Context) -> None:
    """Write selection.json, trials.csv, and the weights of the best trials in best.safetensors."""
    task, folders = context.task, context.upstream("trial")
    proposals = {
        name: json.loads((folder / "proposal.json").read_text(encoding="utf-8"))
        for name, folder in context.upstream("proposal").items()
    }
    trials = []
    for name, folder in folders.items():
        proposed, _, index = name.rpartition("-t")  # `…-r02-t03` is the third point of `…-r02`
        proposal, at = proposals[proposed], int(index) - 1
        origin, point = proposal["origins"][at], proposal["points"][at]
        trials.append(Trial(name, proposal["round"], at + 1, origin, point, read_record(folder)))
    content = selection(
        context.name, task.algorithm.kind, trials, dimensions_of(task), default_of(task), task.averaged
    )
    write_json(context.out / "selection.json", content)
    pd.DataFrame(table(trials, 1 - 1 / task.goal.classes)).to_csv(context.out / "trials.csv", index=False)
    write_bundle(context.out / "best.safetensors", {name: folders[name] for name in content["averaged"]})
    best = content["records"][content["best"]]
    context.progress(messages.selected(content["best"], len(trials), best["validation_accuracy"]))


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
    return [
        {
            "trial": trial.name,
            "round": trial.round,
            "index": trial.index,
            "origin": trial.origin,
            "status": trial.record["status"],
            "stop": trial.record["stop"],
            "validation_error": trial.validation_error if trial.finished else chance,
            "validation_loss": trial.record["validation_loss"] if trial.finished else None,
            **{name: trial.record[name] for name in ("epochs", "seconds", "training_flops", "parameters")},
            **trial.point,
        }
        for trial in trials
    ]


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
