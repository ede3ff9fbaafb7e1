"""The proposal of a round, from the files of earlier trials to a file of its own."""

import json
import time
from dataclasses import asdict

from mimic.search.points import Point, apply_point, default_of, default_point, dimensions_of, net_of
from mimic.search.propose import propose
from mimic.search.round import Trained
from mimic.search.stopping import limits
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
    searched, default = dimensions_of(task), default_of(task)
    history, courses = [], []
    for folder in context.upstream("trial").values():
        record = read_record(folder)
        finished = record["status"] == "finished"
        point = default_point(searched, hyperparameters(task_of(record)))
        history.append(Trained(point, 1 - record["validation_accuracy"] if finished else None))
        epochs = (folder / "history.jsonl").read_text(encoding="utf-8").splitlines() if finished else []
        courses.append([json.loads(epoch)["validation_error"] for epoch in epochs])

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
        "algorithm": task.algorithm.kind,
        "round": task.round,
        "points": list(proposal.points),
        "origins": list(proposal.origins),
        "hyperparameters": [model.model_dump(mode="json") for model in models],
        "nets": [[asdict(layer) for layer in net_of(task.goal, model)] for model in models],
        "refused": [asdict(refusal) for refusal in proposal.refused],
        "limits": {str(epoch): limit for epoch, limit in ends.items()},
    }
    write_json(context.out / "proposal.json", content)
    seconds = time.perf_counter() - started
    context.progress(messages.proposed(len(proposal.points), len(history), seconds))
