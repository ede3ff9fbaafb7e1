"""Trials: from a point of a proposal to the training of a teacher or a student."""

from collections.abc import Iterator, Sequence

from mimic.core.runner import Context
from mimic.core.tasks import StudentTask, TeacherTask, TrialTask
from mimic.distill.students import train_students
from mimic.search.files import points_and_limits
from mimic.search.points import Point, apply_point, complete
from mimic.training.train import train_teacher

FIRST_SEED = 1000  # of searched teachers: a seed each, and none that members are likely to have (ours)


def train_trials(tasks: Sequence[TrialTask], contexts: Sequence[Context]) -> Iterator[Context]:
    """Train the trials of one round; yields the context of each when its files are there."""
    points, limits = _proposed(contexts[0])
    whole = [_whole_task(task, points[task.index - 1]) for task in tasks]
    data = contexts[0].folder("data/data")
    if isinstance(whole[0], TeacherTask):
        for task, context in zip(whole, contexts, strict=True):
            train_teacher(task, data, context, limits)
            yield context
    else:
        shards = [folder / "logits.safetensors" for folder in contexts[0].upstream("logits").values()]
        yield from train_students(contexts, whole, data, shards, [limits] * len(whole))


def settled_task(task: TrialTask, context: Context) -> dict:
    """What a trial is to do, as JSON."""
    points, limits = _proposed(context)
    whole = _whole_task(task, points[task.index - 1])
    return {"task": whole.model_dump(mode="json"), "limits": limits}


def _proposed(context: Context) -> tuple[list[Point], dict[int, float]]:
    (proposal,) = context.upstream("proposal").values()
    return points_and_limits(proposal)


def _whole_task(task: TrialTask, point: dict[str, float]) -> TeacherTask | StudentTask:
    """The task of one teacher or student with the point's values in place of the default's."""
    default = task.default
    if isinstance(default, StudentTask):
        return default.model_copy(update={"student": apply_point(default.student, point)})
    teacher = apply_point(complete(default.teacher, default.augmentation.hsv), point)
    teacher = teacher.model_copy(update={"seed": FIRST_SEED + task.number})
    augmentation = default.augmentation.model_copy(update={"hsv": teacher.hsv})
    return default.model_copy(update={"teacher": teacher, "augmentation": augmentation})
