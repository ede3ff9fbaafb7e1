"""From tasks to trained models, for teachers and students alike."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mimic.data.augment import Augmenter
from mimic.data.packed import open_split, read_description
from mimic.data.seeds import torch_seed
from mimic.nets.build import initialise
from mimic.nets.whitening import WhiteningConv2d
from mimic.support import messages
from mimic.support.context import Context
from mimic.support.interrupt import StopFlag
from mimic.support.publish import write_json
from mimic.training.fit import fit
from mimic.training.member import Member, Validation
from mimic.training.models import make_net, subject_of, write_model
from mimic.training.outcome import Subject
from mimic.training.precision import choose_device, prepare, product_dtype
from mimic.training.predict import predict
from mimic.training.recipe import StudentTask, TeacherTask, hyperparameters
from mimic.training.streams import AugmentedStream, Purpose
from mimic.training.trainer import FitTask


def train_teacher(
    context: Context, task: TeacherTask | None = None, limits: dict[int, float] | None = None
) -> None:
    """Train a teacher on the packed images; leave the files of a model in `context.out`.

    A search trial has a `task` of its own, and `limits` that end it when it is hopeless; see FitTask.
    """
    task, data = task or context.task, context.folder("data/data")
    prepare(context.threads)
    train, teacher = open_split(data, "train"), task.teacher
    # Each seed has an order and augmented images of its own.
    stream = make_stream(task, train.images_NCHW, torch.from_numpy(train.labels_N), ("teacher", teacher.seed))
    fit_task = FitTask(
        learning_rate=teacher.learning_rate,
        momentum=teacher.momentum,
        weight_decay=teacher.weight_decay,
        decayed=teacher.decayed,
        optimiser=teacher.optimiser,
        schedule=task.schedule,
        loss=task.loss,
        precision=task.precision,
        seed=torch_seed(task.seed, "teacher", teacher.seed),
        limits=limits or {},
    )
    for _ in train_models([(context, task, fit_task)], stream, data):
        pass


def make_stream(
    task: TeacherTask | StudentTask,
    images_NCHW: np.ndarray,
    targets: Tensor | Callable[[int], Tensor],
    purpose: Purpose,
    cycle: int | None = None,
) -> AugmentedStream:
    """Augmented training images (uint8), drawn and ordered for `purpose`; see AugmentedStream."""
    device = choose_device()
    return AugmentedStream(
        images_NCHW,
        targets,
        Augmenter(task.augmentation, images_NCHW.shape[-1], device),
        batch_size=task.batch_size,
        seed=task.seed,
        augmentation=(*purpose, "augmentation"),
        order=(*purpose, "order"),
        device=device,
        cycle=cycle,
    )


def train_models(
    jobs: Sequence[tuple[Context, TeacherTask | StudentTask, FitTask]], stream: AugmentedStream, data: Path
) -> Iterator[Context]:
    """Build, initialise and train nets in lockstep on one stream; see `fit`.

    Yields each context as soon as its files lie in `context.out`. At the end raises what broke a
    member: the exception itself if there was one member, else an ExceptionGroup that names the members
    that failed, in which each exception has its member's name as a note. Raises Interrupted at once.
    """
    description, validation = read_description(data), open_split(data, "validation")
    images_NCHW = torch.from_numpy(validation.images_NCHW)
    size = description.image_size
    known = Validation(images_NCHW, torch.from_numpy(validation.labels_N))
    subjects, failures = {}, {}
    for context, task, fit_task in jobs:
        net = make_net(task, size)
        recipe = hyperparameters(task)
        initialise(net, recipe.init_scale, fit_task.seed, getattr(recipe, "initial", "glorot") == "dirac")
        for module in net.modules():
            if isinstance(module, WhiteningConv2d):
                module.set_from(stream.some_images())
        fit_task.loss.start(net, stream.targets)
        subject = subject_of(task, context.name, size)
        _announce(context, subject)
        if fit_task.precision == "bf16" and product_dtype(stream.device, "bf16") != torch.bfloat16:
            context.progress(messages.no_bf16())
        member = Member(net, fit_task, context.training, context.identity.get("key", ""), context.progress)
        subjects[member] = context, subject
    with StopFlag() as stop:
        for member, result in fit(list(subjects), stream, known, stop):
            context, subject = subjects.pop(member)
            if isinstance(result, Exception):
                failures[subject.name] = result
                if len(jobs) > 1:
                    context.progress(messages.member_failed(result))
            else:
                logits_NK = predict(member.net, images_NCHW, member.task.precision, stream.device)
                write_model(context.out, member.net, logits_NK, subject, result)
                yield context
    _raise(failures, len(jobs))


def _raise(failures: dict[str, Exception], members: int) -> None:
    if not failures:
        return
    if members == 1:
        raise next(iter(failures.values()))
    for name, error in failures.items():
        error.add_note(f"in the training of {name}")
    raise ExceptionGroup(
        f"{len(failures)} of {members} trainings failed: {', '.join(failures)}", list(failures.values())
    )


def _announce(context: Context, subject: Subject) -> None:
    """Say beside the checkpoint who trains here, for `mimic track`."""
    live: dict[str, Any] = context.identity | {"name": context.name}
    live |= {"hyperparameters": subject.hyperparameters, "parameters": subject.parameters}
    live |= {"slurm_job": os.environ.get("SLURM_JOB_ID")}
    write_json(context.training / "live.json", live)
