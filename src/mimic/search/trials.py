"""Trials: from a point of a proposal to the training of a teacher or a student."""

import json
from collections.abc import Iterator, Sequence

from mimic.distill.students import train_students
from mimic.support.context import Context
from mimic.training.recipe import ModelTask, TeacherTask
from mimic.training.train import train_teacher

FIRST_SEED = 1000  # of searched teachers: a seed each, and none that members are likely to have (ours)


def train(contexts: Sequence[Context]) -> Iterator[Context]:
    """Train the trials of one round; yields the context of each when its files are there."""
    tasks, limits = [whole_task(context) for context in contexts], _limits(contexts[0])
    if isinstance(tasks[0], TeacherTask):
        for task, context in zip(tasks, contexts, strict=True):
            train_teacher(context, task, limits)
            yield context
    else:
        yield from train_students(contexts, tasks, limits)


def whole_task(context: Context) -> ModelTask:
    """What a trial is to do: its default, with the hyperparameters and the net of its point."""
    trial = context.task
    proposed = _proposal(context)
    found, net = (proposed[name][trial.index - 1] for name in ("hyperparameters", "nets"))
    content = trial.default.model_dump(mode="json") | {"net": net}
    if isinstance(trial.default, TeacherTask):
        found = found | {"seed": FIRST_SEED + trial.number}
        content |= {"teacher": found, "augmentation": content["augmentation"] | {"hsv": found["hsv"]}}
    else:
        content |= {"student": found}
    return type(trial.default).model_validate_json(json.dumps(content))


def settled(context: Context) -> dict:
    """All that a trial's result depends on, whatever search it belongs to."""
    return {"task": whole_task(context).model_dump(mode="json"), "limits": _limits(context)}


def _proposal(context: Context) -> dict:
    (folder,) = context.upstream("proposal").values()
    return json.loads((folder / "proposal.json").read_text(encoding="utf-8"))


def _limits(context: Context) -> dict[int, float]:
    """The validation error that ends a trial after an epoch."""
    return {int(epoch): limit for epoch, limit in _proposal(context)["limits"].items()}
