"""Students: trained on the transfer set's images, with the ensemble's logits or the images' own labels."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from mimic.data.augment import Augmenter
from mimic.data.packed import Split, open_split, read_description
from mimic.data.seeds import torch_seed
from mimic.distill.transfer import FINGERPRINT_IMAGES, PURPOSE, TransferTargets, image_identity
from mimic.support.context import Context
from mimic.training.precision import prepare
from mimic.training.recipe import StudentTask
from mimic.training.train import make_stream, train_models
from mimic.training.trainer import FitTask


def train(contexts: Sequence[Context]) -> Iterator[Context]:
    """Train students, with the hyperparameters given or those that a search found; see `train_students`."""
    return train_students(contexts, [whole_task(context) for context in contexts])


def whole_task(context: Context) -> StudentTask:
    """The task of a student, with what the search for its hyperparameters has found, if there is one."""
    task = context.task
    for folder in context.upstream("selection").values():
        found = json.loads((folder / "selection.json").read_text(encoding="utf-8"))
        settled = {"student": found["hyperparameters"], "net": found["net"]}
        task = StudentTask.model_validate_json(json.dumps(task.model_dump(mode="json") | settled))
    return task


def settled(context: Context) -> dict | None:
    """All that a student's result depends on, whatever search found its hyperparameters; None without one."""
    return whole_task(context).model_dump(mode="json") if context.upstream("selection") else None


def train_students(
    contexts: Sequence[Context],
    tasks: Sequence[StudentTask],
    limits: Sequence[dict[int, float]] | None = None,
) -> Iterator[Context]:
    """Train students in lockstep on one stream of the packed images, each as if it were alone.

    Yields each context as soon as its files lie in `context.out`; errors as `train_models` says. The
    tasks must agree on the stream (ValueError). The shards of logits hold the targets of the arms that
    mimic them; the hard-label arm has none. `limits` end hopeless search trials; see FitTask. Raises
    MimicError when the shards belong to other images than those that augmentation makes here.
    """
    first, data = _check_alike(tasks), contexts[0].folder("data/data")
    prepare(contexts[0].threads)
    train = open_split(data, "train")
    if first.arm == "labels":
        targets = torch.from_numpy(train.labels_N)
    else:
        shards = [folder / "logits.safetensors" for folder in contexts[0].upstream("logits").values()]
        targets = _open_targets(first, data, train, shards).targets
    stream = make_stream(first, train.images_NCHW, targets, PURPOSE, cycle=first.transfer_epochs)
    fit_tasks = map(_fit_task, tasks, limits or [{}] * len(tasks))
    yield from train_models(list(zip(contexts, tasks, fit_tasks, strict=True)), stream, data)


def _check_alike(tasks: Sequence[StudentTask]) -> StudentTask:
    """The first task, once all have been found to want the same images and targets."""
    first = tasks[0]
    for task in tasks[1:]:
        for field in ("seed", "augmentation", "transfer_epochs", "batch_size"):
            if getattr(task, field) != getattr(first, field):
                raise ValueError(f"a cohort shares one stream, but its members differ in {field}")
        if (task.arm == "labels") != (first.arm == "labels"):
            raise ValueError("a cohort shares one stream, but its members differ in their targets")
    return first


def _fit_task(task: StudentTask, limits: dict[int, float]) -> FitTask:
    student = task.student
    return FitTask(
        learning_rate=student.learning_rate,
        momentum=student.momentum,
        weight_decay=student.weight_decay,
        optimiser=student.optimiser,
        schedule=task.schedule,
        loss=task.loss,
        precision=task.precision,
        seed=torch_seed(task.seed, "student", task.repetition),
        limits=limits,
    )


def _open_targets(task: StudentTask, data: Path, train: Split, shards: list[Path]) -> TransferTargets:
    """The targets, once one epoch of every shard has been found to belong to the images made here."""
    description = read_description(data)
    identity = image_identity(description.digest, task.augmentation, task.seed, description.image_size)
    targets = TransferTargets(shards, identity, train.count, task.transfer_epochs)
    augmenter = Augmenter(task.augmentation, description.image_size)
    first_NCHW = torch.from_numpy(train.images_NCHW[:FINGERPRINT_IMAGES])
    for epoch in targets.first_epochs:
        draws_ND = augmenter.draws(len(first_NCHW), task.seed, *PURPOSE, "augmentation", epoch)
        targets.check_images(epoch, augmenter(first_NCHW, draws_ND))
    return targets
