"""Labelling the transfer set: the ensemble's logits on a block of augmented epochs."""

import time

import torch

from mimic.data.augment import Augmenter
from mimic.data.packed import open_split, read_description
from mimic.distill.distillation import LogitsTask
from mimic.distill.members import EnsembleNet, load_ensemble
from mimic.distill.transfer import PURPOSE, fingerprint, image_identity, write_shard
from mimic.support import messages
from mimic.support.context import Context
from mimic.training.precision import autocast, choose_device, prepare
from mimic.training.predict import prepared

BATCH = 500  # images at once


def label_shard(context: Context) -> None:
    """Write logits.safetensors, the shard of the task: logits and fingerprints of its epochs."""
    prepare(context.threads)
    task, data = context.task, context.folder("data/data")
    device, description = choose_device(), read_description(data)
    net = load_ensemble(context.folder("ensemble/ensemble"), description.image_size, device)
    images_NCHW = torch.from_numpy(open_split(data, "train").images_NCHW).to(device)
    augmenter = Augmenter(task.augmentation, description.image_size, device)
    epochs, labelled = range(task.first_epoch, task.first_epoch + task.epochs), []
    for epoch in epochs:
        started = time.perf_counter()
        labelled.append(_label_epoch(net, images_NCHW, augmenter, task, epoch))
        pace = len(images_NCHW) / (time.perf_counter() - started)
        context.progress(messages.epoch_labelled(epoch + 1 - epochs.start, len(epochs), pace))
    identity = image_identity(description.digest, task.augmentation, task.seed, description.image_size)
    path = context.out / "logits.safetensors"
    logits_ENK, thumbnails_EMCHW = map(torch.stack, zip(*labelled, strict=True))
    write_shard(path, logits_ENK, epochs, identity, thumbnails_EMCHW, task.dtype)


@torch.inference_mode()
def _label_epoch(
    net: EnsembleNet, images_NCHW: torch.Tensor, augmenter: Augmenter, task: LogitsTask, epoch: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits [N, K] float32 of one augmented epoch, and the fingerprint of its images."""
    draws_ND = augmenter.draws(len(images_NCHW), task.seed, *PURPOSE, "augmentation", epoch)
    logits_NK: list[torch.Tensor] = []
    with autocast(images_NCHW.device, task.precision):
        for chosen, draws in zip(images_NCHW.split(BATCH), draws_ND.split(BATCH), strict=True):
            augmented = augmenter(chosen, draws)
            if not logits_NK:
                thumbnails_MCHW = fingerprint(augmented)
            logits_NK.append(net(prepared(augmented, images_NCHW.device)).cpu())
    return torch.cat(logits_NK), thumbnails_MCHW
