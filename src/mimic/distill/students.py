"""Students: trained on the transfer set's images, with the ensemble's logits or the images' own labels."""

from pathlib import Path

import torch

from mimic.core.runner import Context
from mimic.core.seeds import torch_seed
from mimic.core.tasks import StudentTask
from mimic.data.augment import Augmenter
from mimic.data.packed import Split, open_split, read_description
from mimic.distill.transfer import FINGERPRINT_IMAGES, TransferTargets, image_identity
from mimic.training.precision import prepare
from mimic.training.train import make_stream, train_model
from mimic.training.trainer import FitTask

PURPOSE = ("transfer",)  # every student sees the same images in the same order


def train_student(task: StudentTask, data: Path, shards: list[Path], context: Context) -> None:
    """Train a student on the packed images in `data`; leave its files in `context.out`.

    `shards` hold the targets of the arms that mimic logits; the hard-label arm has none. Raises
    MimicError when the shards belong to other images than those that augmentation makes here.
    """
    prepare(context.threads)
    train = open_split(data, "train")
    if task.arm == "labels":
        targets = torch.from_numpy(train.labels_N)
    else:
        targets = _open_targets(task, data, train, shards).targets
    stream = make_stream(task, train.images_NCHW, targets, PURPOSE, cycle=task.transfer_epochs)
    student = task.student
    fit_task = FitTask(
        learning_rate=student.learning_rate,
        momentum=student.momentum,
        weight_decay=student.weight_decay,
        schedule=task.schedule,
        loss=task.loss,
        precision=task.precision,
        seed=torch_seed(task.seed, "student", task.repetition),
    )
    train_model(task, fit_task, stream, data, context)


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
