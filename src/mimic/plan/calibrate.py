"""A short measurement of this machine: how fast nets of each kind train, in as many processes as the study.

Processes side by side slow one another, by shared memory and clock; so all measure at once.
"""

import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, count, repeat
from pathlib import Path

import numpy as np
import psutil
import torch

from mimic.config.parameters import Parameters
from mimic.dag.study import Study
from mimic.data.augment import Augmenter
from mimic.data.image_parameters import CHANNELS
from mimic.nets.build import build
from mimic.plan.hardware import HERE, Hardware, Pace
from mimic.plan.nets import PlannedNet
from mimic.plan.work import Counts
from mimic.support.errors import MimicError
from mimic.support.processors import usable
from mimic.training import checkpoint
from mimic.training.losses.cross_entropy import CrossEntropy
from mimic.training.precision import choose_device, prepare
from mimic.training.predict import BATCH, predict
from mimic.training.recipe import Precision
from mimic.training.schedules.one_cycle import OneCycle
from mimic.training.streams import AugmentedStream
from mimic.training.trainer import FitTask, Trainer

CALLS, LEAST = 3, 0.1  # calls and seconds that each thing is measured, at least
LONG = 5e10  # floating-point operations: a net whose step takes more is judged by smaller ones
IMAGES = 8192


def representative(nets: Iterable[PlannedNet]) -> tuple[PlannedNet, ...]:
    """Of each kind of net the least, and the greatest whose step is no matter of seconds."""
    ascending = sorted(set(nets), key=lambda net: (net.kind, net.multiply_adds, net.parameters))
    least = {net.kind: net for net in reversed(ascending)}
    quick = {net.kind: net for net in ascending if 6 * net.multiply_adds * net.batch_size <= LONG}
    return tuple(dict.fromkeys([*least.values(), *quick.values()]))


def calibrate(study: Study, counts: Counts, jobs: int | None) -> Hardware:
    """This machine, as processes find it that measure the nets of `study` side by side.

    By as many as will run at once: `jobs`, or all that can; one on a GPU, where each job has its own. Raises
    MimicError for more jobs than it runs.
    """
    most = side_by_side()
    if jobs and jobs > most:
        raise MimicError(f"--jobs {jobs}: this machine runs {most} at once; give at most that, or --hardware")
    jobs = jobs or most
    device = "cpu" if choose_device().type == "cpu" else "gpu"
    trained = [counts.work(job).trained for job in study.jobs()]
    nets = representative(net for net in trained if net)
    processes = jobs if device == "cpu" else 1
    context = multiprocessing.get_context("spawn")  # a process starts as a job does
    with ProcessPoolExecutor(processes, context) as pool:
        asked = repeat(nets), repeat(study.parameters), repeat(time.time(), processes)
        found = np.mean(list(pool.map(_measure, *asked)), axis=0)
    start, process, augmentation, saving, *paces = found.tolist()
    return Hardware(
        name=HERE,
        device=device,
        jobs=(jobs,),
        start=start,
        augmentation=augmentation,
        saving=saving,
        process=process,
        paces=tuple(map(Pace, nets, paces[::2], paces[1::2])),
    )


def _measure(nets: tuple[PlannedNet, ...], parameters: Parameters, called: float) -> list[float]:
    """In a process of its own, `called` at that time.

    Seconds until its start, bytes of its memory, seconds an augmented image and a saved byte; then of each
    net seconds an image in training, amid augmentation as always, and in prediction.
    """
    prepare(1)
    device, size, precision = choose_device(), parameters.data.image_size, parameters.precision
    torch.zeros(1, device=device)  # a GPU's context belongs to the start
    start, process = time.time() - called, psutil.Process().memory_info().rss
    images_NCHW = np.random.default_rng(0).integers(0, 256, (IMAGES, CHANNELS, size, size), dtype=np.uint8)
    largest = _trainer(max(nets, key=lambda net: net.parameters), precision, device)

    def stream(batch_size: int) -> AugmentedStream:
        return AugmentedStream(
            images_NCHW,
            torch.arange(IMAGES) % parameters.data.classes,
            Augmenter(parameters.augmentation, size, device),
            batch_size=batch_size,
            seed=0,
            augmentation=("calibration", "augmentation"),
            order=("calibration", "order"),
            device=device,
        )

    augmentation = _typical(lambda: list(stream(128).batches(0)), device) / IMAGES
    found = [start, process, augmentation, _saving(largest)]
    for net in nets:
        trainer = _trainer(net, precision, device)
        batches = chain.from_iterable(map(stream(net.batch_size).batches, count()))
        found.append(_typical(trainer.step, device, batches) / min(net.batch_size, IMAGES))
        many = torch.from_numpy(images_NCHW[: min(BATCH, 1 + int(LONG / (2 * net.multiply_adds)))])
        looked = (trainer.net, many, precision, device)
        found.append(_typical(predict, device, repeat(looked)) / len(many))
    return found


def _trainer(net: PlannedNet, precision: Precision, device: torch.device) -> Trainer:
    """A trainer whose weights hardly move: what is learnt doesn't matter, numbers out of range would."""
    recipe = {"schedule": OneCycle(epochs=1), "loss": CrossEntropy(), "precision": precision}
    task = FitTask(learning_rate=1e-6, momentum=0.9, seed=0, **recipe)
    steps = 1_000_000  # more than will be taken
    return Trainer(build(net.layers, CHANNELS, net.image_size), task, device, steps)


def _typical(
    call: Callable[..., object], device: torch.device, arguments: Iterable[tuple] = repeat(())
) -> float:
    """Seconds of `call`: the median of several, the first of which only warms up.

    On a processor those given to this process: what others take doesn't count.
    """
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    seconds = []
    for given in arguments:
        started = clock()
        call(*given)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(clock() - started)
        if len(seconds) > CALLS and sum(seconds[1:]) >= LEAST:
            break
    return statistics.median(seconds[1:])


def _saving(trainer: Trainer) -> float:
    """Seconds a byte of a checkpoint, on the disk of the working folder where that is ours to write."""
    here = Path.cwd() if os.access(Path.cwd(), os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=here, prefix=".calibration-") as folder:
        path = Path(folder) / "checkpoint.safetensors"
        started = time.perf_counter()
        checkpoint.save(path, "calibration", trainer.tensors, trainer.saved_state())
        return (time.perf_counter() - started) / path.stat().st_size


def side_by_side() -> int:
    """Jobs that this machine runs at once: one a GPU, else one a processor that this process may use."""
    if choose_device().type == "cuda":
        return torch.cuda.device_count()
    return usable()
