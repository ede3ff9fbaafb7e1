"""Step student: students on the transfer set, with the hyperparameters given or those that a search found."""

import json
from collections.abc import Iterator, Sequence

from mimic.core.parameters import Student
from mimic.core.runner import Context
from mimic.core.specs import load_task
from mimic.core.tasks import StudentTask
from mimic.distill.students import train_students


def run_together(contexts: Sequence[Context]) -> Iterator[Context]:
    """Write the files of models, weights, validation logits, history, record; yields each when it is done."""
    first = contexts[0]
    shards = [folder / "logits.safetensors" for folder in first.upstream("logits").values()]
    return train_students(contexts, [_task(c) for c in contexts], first.folder("data/data"), shards)


def settle(context: Context) -> dict | None:
    """The whole task of a student whose hyperparameters a search has found."""
    return _task(context).model_dump(mode="json") if context.upstream("selection") else None


def _task(context: Context) -> StudentTask:
    task = load_task(context.spec, StudentTask)
    for folder in context.upstream("selection").values():  # none, or the one of the search for this variant
        found = json.loads((folder / "selection.json").read_text(encoding="utf-8"))["hyperparameters"]
        task = task.model_copy(update={"student": Student.model_validate_json(json.dumps(found))})
    return task
