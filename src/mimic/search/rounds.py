"""The proposal of a round, from the files of earlier trials to a file of its own."""

import json
import time
from dataclasses import asdict
from pathlib import Path

from mimic.search.files import default_of, dimensions_of
from mimic.search.points import Dimension, Point, apply_point, default_point, net_of
from mimic.search.propose import propose
from mimic.search.samplers import Trained
from mimic.search.stopping import Course, limits
from mimic.support import messages
from mimic.support.context import Context
from mimic.support.errors import MimicError
from mimic.support.publish import write_json
from mimic.training.models import read_record
from mimic.training.recipe import hyperparameters, task_of


def propose_round(context: Context) -> None:
    """Write proposal.json: the points of a round and their nets, given all earlier trials in order."""
    started = time.perf_counter()
    task, search = context.task, context.name.rpartition("-")[0]
    trials = list(context.upstream("trial").values())
    records = [read_record(folder) for folder in trials]
    searched, default = dimensions_of(task), default_of(task)
    history = [_trained(record, searched) for record in records]
    courses = [
        Course.of(_read_history(folder), record["status"])
        for folder, record in zip(trials, records, strict=True)
    ]

    def reason_against(point: Point) -> str | None:
        try:
            net_of(task.goal, apply_point(default, point))
        except MimicError as error:
            return str(error)
        return None

    proposal = propose(
        search,
        searched,
        task.algorithm,
        task.default.seed,
        task.round,
        task.points,
        history,
        default_point(searched, default),
        reason_against,
    )
    models = [apply_point(default, point) for point in proposal.points]
    ends = limits(task.stopping.epochs, courses) if task.stopping else {}
    content = {
        "search": search,
        "algorithm": task.algorithm,
        "round": task.round,
        "points": list(proposal.points),
        "origins": list(proposal.origins),
        "hyperparameters": [model.model_dump(mode="json") for model in models],
        "nets": [[asdict(layer) for layer in net_of(task.goal, model)] for model in models],
        "refused": [{"point": refused.point, "reason": refused.reason} for refused in proposal.refused],
        "limits": {str(epoch): limit for epoch, limit in ends.items()},
    }
    write_json(context.out / "proposal.json", content)
    seconds = time.perf_counter() - started
    context.progress(messages.proposed(len(proposal.points), len(history), seconds))


def _trained(record: dict, searched: tuple[Dimension, ...]) -> Trained:
    error = None if record["status"] != "finished" else 1 - record["validation_accuracy"]
    return Trained(default_point(searched, hyperparameters(task_of(record))), error)


def _read_history(folder: Path) -> list[dict]:
    lines = (folder / "history.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]
