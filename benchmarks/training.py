"""Whole epochs of the project's own training, as steps of a study run them."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.subjects import Images, Subject, flops
from mimic.distill.students import train_students
from mimic.support.context import Context
from mimic.training.recipe import TeacherTask
from mimic.training.train import train_teacher

VALIDATED = 2  # times that a training of one epoch looks at the validation images: after it, and at its end


def train(members: Sequence[Subject], data: Path, out: Path, threads: int = 1) -> list[Path]:
    """Train for one epoch, several students as a cohort; the folder of each model, in `out`.

    All that a job does but to start: images are read and augmented, the net is made, trained and validated,
    its checkpoint and its files are written.
    """
    contexts = []
    for number, member in enumerate(members):
        folder = out / f"{number}-{member.name}"
        folder.mkdir(parents=True)
        context = Context(
            member.task,
            folder,
            {"data/data": data},
            name=member.name,
            training=folder / "training",
            threads=threads,
            progress=lambda line: None,
        )
        contexts.append(context)
    if isinstance(members[0].task, TeacherTask):
        for context in contexts:
            train_teacher(context)
    else:
        for _ in train_students(contexts, [member.task for member in members]):
            pass
    return [context.out for context in contexts]


def epoch(members: Sequence[Subject], data: Path) -> None:
    """Train, and throw the models away."""
    with tempfile.TemporaryDirectory() as folder:
        train(members, data, Path(folder))


def epoch_flops(members: Sequence[Subject], images: int) -> int:
    """Of `epoch` on a part of so many images to train on."""
    validated = VALIDATED * max(images // 8, 10)
    return sum(flops(member.multiply_adds, images, validated) for member in members)


def images_for(images: float, batch: int) -> int:
    """The nearest whole batches, two at least."""
    return max(2, round(images / batch)) * batch


def warm_up(members: Sequence[Subject], images: Images) -> None:
    """What torch prepares for a net's shapes is no part of an epoch."""
    epoch(members, images.part(2 * members[0].task.batch_size))
