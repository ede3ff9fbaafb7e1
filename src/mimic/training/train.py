"""From a task to a trained model, for teachers and students alike."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mimic.core.parameters import CrossEntropy
from mimic.core.publish import write_json
from mimic.core.runner import Context
from mimic.core.seeds import torch_seed
from mimic.core.tasks import StudentTask, TeacherTask
from mimic.data.augment import Augmenter
from mimic.data.packed import open_split, read_description
from mimic.nets.build import initialise
from mimic.training.fit import Validation, fit
from mimic.training.interrupt import StopFlag
from mimic.training.models import make_net, subject_of, write_model
from mimic.training.precision import choose_device, prepare
from mimic.training.predict import predict
from mimic.training.streams import AugmentedStream, Purpose
from mimic.training.trainer import FitTask


def train_teacher(task: TeacherTask, data: Path, context: Context) -> None:
    """Train a teacher on the packed images in `data`; leave its files in `context.out`."""
    prepare(context.threads)
    train, teacher = open_split(data, "train"), task.teacher
    # Each seed has an order and augmented images of its own.
    stream = make_stream(task, train.images_NCHW, torch.from_numpy(train.labels_N), ("teacher", teacher.seed))
    fit_task = FitTask(
        learning_rate=teacher.learning_rate,
        momentum=teacher.momentum,
        weight_decay=teacher.weight_decay,
        schedule=task.schedule,
        loss=CrossEntropy(),
        precision=task.precision,
        seed=torch_seed(task.seed, "teacher", teacher.seed),
    )
    train_model(task, fit_task, stream, data, context)


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


def train_model(
    task: TeacherTask | StudentTask, fit_task: FitTask, stream: AugmentedStream, data: Path, context: Context
) -> None:
    """Build, initialise and train the net of `task`; leave its files in `context.out`."""
    description, validation = read_description(data), open_split(data, "validation")
    images_NCHW = torch.from_numpy(validation.images_NCHW)
    shape = len(description.classes), description.image_size
    net = make_net(task, *shape)
    init_scale = (task.teacher if isinstance(task, TeacherTask) else task.student).init_scale
    initialise(net, init_scale, fit_task.seed)
    subject = subject_of(task, context.spec.name, *shape)
    _announce(context, subject.parameters)
    with StopFlag() as stop:
        outcome = fit(
            net,
            stream,
            Validation(images_NCHW, torch.from_numpy(validation.labels_N)),
            fit_task,
            context.training,
            context.spec.key,
            context.progress,
            stop,
        )
    logits_NK = predict(net, images_NCHW, task.precision, stream.device)
    write_model(context.out, net, logits_NK, subject, outcome)


def _announce(context: Context, parameters: int) -> None:
    """Say beside the checkpoint who trains here, for `mimic track`."""
    spec = context.spec
    live = {"key": spec.key, "study": spec.study, "step": spec.step, "name": spec.name}
    live |= {"hyperparameters": spec.task, "parameters": parameters}
    live |= {"slurm_job": os.environ.get("SLURM_JOB_ID")}
    write_json(context.training / "live.json", live)
