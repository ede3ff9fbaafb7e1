"""Students: trained on the transfer set's images, with the ensemble's logits or the images' own labels."""

import json
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

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
    task: StudentTask = context.task
    for folder in context.upstream("selection").values():
        found = json.loads((folder / "selection.json").read_text(encoding="utf-8"))
        settled = {"student": found["hyperparameters"], "net": found["net"]}
        task = StudentTask.model_validate_json(json.dumps(task.model_dump(mode="json") | settled))
    return task


def settled(context: Context) -> dict[str, object] | None:
    """All that a student's result depends on, whatever search found its hyperparameters; None without one."""
    return whole_task(context).model_dump(mode="json") if context.upstream("selection") else None


def train_students(
    contexts: Sequence[Context], tasks: Sequence[StudentTask], limits: dict[int, float] | None = None
) -> Iterator[Context]:
    """Train students in lockstep on one stream of the packed images, each as if it were alone.

    Yields each context as soon as its files lie in `context.out`; errors as `train_models` says. The
    tasks must agree on the stream (ValueError). The shards of logits hold the targets of the arms that
    mimic them; the hard-label arm has none. `limits` end hopeless search trials; see FitTask. Raises
    MimicError when the shards belong to other images than those that augmentation makes here.
    """
    first, data = tasks[0], contexts[0].folder("data/data")
    if len({_stream_of(task) for task in tasks}) > 1:
        raise ValueError("a cohort shares one stream, but its members differ in images, order or targets")
    prepare(contexts[0].threads)
    train = open_split(data, "train")
    targets = _targets(contexts[0], first, train)
    stream = make_stream(first, train.images_NCHW, targets, PURPOSE, cycle=first.transfer_epochs)
    jobs = [(context, task, _fit_task(task, limits)) for context, task in zip(contexts, tasks, strict=True)]
    yield from train_models(jobs, stream, data)


def _stream_of(task: StudentTask) -> tuple[object, ...]:
    """What images a student is trained on, and with which targets."""
    return task.seed, task.augmentation, task.transfer_epochs, task.batch_size, task.arm == "labels"


def _fit_task(task: StudentTask, limits: dict[int, float] | None) -> FitTask:
    student = task.student
    return FitTask(
        learning_rate=student.learning_rate,
        momentum=student.momentum,
        weight_decay=student.weight_decay,
        decayed=student.decayed,
        optimiser=student.optimiser,
        schedule=task.schedule,
        loss=task.loss,
        precision=task.precision,
        seed=torch_seed(task.seed, "student", task.repetition),
        limits=limits or {},
    )


def _targets(context: Context, task: StudentTask, train: Split) -> Tensor | Callable[[int], Tensor]:
    """Labels, or logits by epoch: of these, one epoch of each shard is held against the images made here."""
    if task.arm == "labels":
        return torch.from_numpy(train.labels_N)
    description = read_description(context.folder("data/data"))
    identity = image_identity(description.digest, task.augmentation, task.seed, description.image_size)
    shards = [folder / "logits.safetensors" for folder in context.upstream("logits").values()]
    transfer = TransferTargets(shards, identity, len(train.labels_N), task.transfer_epochs)
    augmenter = Augmenter(task.augmentation, description.image_size)
    first_NCHW = torch.from_numpy(train.images_NCHW[:FINGERPRINT_IMAGES])
    for epoch in transfer.first_epochs:
        draws_ND = augmenter.draws(len(first_NCHW), task.seed, *PURPOSE, "augmentation", epoch)
        transfer.check_images(epoch, augmenter(first_NCHW, draws_ND))
    return transfer.targets
