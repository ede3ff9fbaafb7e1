"""A short measurement of this machine: how fast nets of each kind train, in as many processes as the study.

Processes side by side slow one another, by shared memory and clock; so all measure at once.
"""

import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import count, groupby
from pathlib import Path

import numpy as np
import torch

from mimic.core.parameters import Augmentation, CrossEntropy
from mimic.core.tasks import Precision
from mimic.core.types import OneCycle
from mimic.data.augment import Augmenter
from mimic.nets.build import build
from mimic.nets.from_task import CHANNELS
from mimic.plan.hardware import HERE, Hardware, Pace
from mimic.plan.nets import Net
from mimic.training import checkpoint
from mimic.training.precision import choose_device, prepare
from mimic.training.predict import BATCH, predict
from mimic.training.streams import AugmentedStream
from mimic.training.trainer import FitTask, Trainer

CALLS, LEAST = 3, 0.1  # calls and seconds that each thing is measured, at least
LONG = 5e10  # floating-point operations: a net whose step takes more is judged by smaller ones
IMAGES = 8192


@dataclass(frozen=True)
class Sample:
    """What every process measures."""

    nets: tuple[Net, ...]
    classes: int
    precision: Precision
    augmentation: Augmentation
    threads: int  # of each process


@dataclass(frozen=True)
class Measurement:
    """What one process found: seconds an image, or a byte, and bytes."""

    start: float  # seconds
    process: float
    augmentation: float
    saving: float
    paces: tuple[tuple[float, float], ...]  # training and prediction of each net of the sample


def representative(nets: Iterable[Net]) -> tuple[Net, ...]:
    """Of each kind of net the least, and the greatest whose step is no matter of seconds."""
    chosen = []
    by_kind = sorted(set(nets), key=lambda net: (net.kind, net.multiply_adds, net.parameters))
    for _, group in groupby(by_kind, key=lambda net: net.kind):
        least, *others = group
        quick = [net for net in others if 6 * net.multiply_adds * net.batch_size <= LONG]
        chosen += [least, *quick[-1:]]
    return tuple(chosen)


def calibrate(sample: Sample, jobs: int) -> Hardware:
    """This machine, as processes find it that measure the sample side by side: `jobs`, or one on a GPU."""
    device = "cpu" if choose_device().type == "cpu" else "gpu"
    processes = jobs if device == "cpu" else 1  # jobs on GPUs have one each
    context = multiprocessing.get_context("spawn")  # a process starts as a job does
    with ProcessPoolExecutor(processes, context) as pool:
        called = time.time()
        runs = [pool.submit(_measure, sample, called) for _ in range(processes)]
        found = [run.result() for run in runs]

    def mean(value: Callable[[Measurement], float]) -> float:
        return statistics.mean(value(measurement) for measurement in found)

    paces = [
        Pace(net, mean(lambda m, i=i: m.paces[i][0]), mean(lambda m, i=i: m.paces[i][1]))
        for i, net in enumerate(sample.nets)
    ]
    return Hardware(
        name=HERE,
        device=device,
        jobs=(jobs,),
        start=mean(lambda m: m.start),
        augmentation=mean(lambda m: m.augmentation),
        saving=mean(lambda m: m.saving),
        process=max(m.process for m in found),
        layer=0.0,
        flops={},
        paces=tuple(paces),
    )


def _measure(sample: Sample, called: float) -> Measurement:
    """In a process of its own, `called` at that time."""
    prepare(sample.threads)
    device = choose_device()
    torch.zeros(1, device=device)  # a GPU's context belongs to the start
    start, process = time.time() - called, _peak_memory()
    size = sample.nets[0].image_size
    images_NCHW = np.random.default_rng(0).integers(0, 256, (IMAGES, CHANNELS, size, size), dtype=np.uint8)
    labels_N = torch.arange(IMAGES) % sample.classes
    stream = _stream(images_NCHW, labels_N, sample, 128, device)
    augmentation = _typical(_calls(lambda: list(stream.batches(0)), device)) / IMAGES
    paces = [_pace(net, images_NCHW, labels_N, sample, device) for net in sample.nets]
    return Measurement(start, process, augmentation, _saving(sample, device), tuple(paces))


def _stream(
    images_NCHW: np.ndarray, labels_N: torch.Tensor, sample: Sample, batch_size: int, device: torch.device
) -> AugmentedStream:
    return AugmentedStream(
        images_NCHW,
        labels_N,
        Augmenter(sample.augmentation, images_NCHW.shape[-1], device),
        batch_size=batch_size,
        seed=0,
        augmentation=("calibration", "augmentation"),
        order=("calibration", "order"),
        device=device,
    )


def _pace(
    net: Net, images_NCHW: np.ndarray, labels_N: torch.Tensor, sample: Sample, device: torch.device
) -> tuple[float, float]:
    """Seconds an image that `net` takes in training, amid augmentation as always, and in prediction."""
    trainer = _trainer(net, sample.precision, device)
    stream = _stream(images_NCHW, labels_N, sample, net.batch_size, device)
    batches = (batch for epoch in count() for batch in stream.batches(epoch))
    calls = (_timed(lambda batch=batch: trainer.step(*batch), device) for batch in batches)
    step = _typical(calls) / min(net.batch_size, IMAGES)
    many_NCHW = torch.from_numpy(images_NCHW[: min(BATCH, 1 + int(LONG / (2 * net.multiply_adds)))])
    look = _typical(_calls(lambda: predict(trainer.net, many_NCHW, sample.precision, device), device))
    return step, look / len(many_NCHW)


def _trainer(net: Net, precision: Precision, device: torch.device) -> Trainer:
    """A trainer whose weights hardly move: what is learnt doesn't matter, numbers out of range would."""
    task = FitTask(
        learning_rate=1e-6,
        momentum=0.9,
        schedule=OneCycle(epochs=1),
        loss=CrossEntropy(),
        precision=precision,
        seed=0,
    )
    steps = 1_000_000  # more than will be taken
    return Trainer(build(net.layers, CHANNELS, net.image_size), task, device, steps)


def _calls(work: Callable[[], object], device: torch.device) -> Iterator[float]:
    """Seconds of call after call."""
    while True:
        yield _timed(work, device)


def _timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of one call; on a processor those given to this process: what others take doesn't count."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    started = clock()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock() - started


def _typical(calls: Iterator[float]) -> float:
    """The median of several calls, the first of which only warms up."""
    next(calls)
    seconds = []
    while len(seconds) < CALLS or sum(seconds) < LEAST:
        seconds.append(next(calls))
    return statistics.median(seconds)


def _saving(sample: Sample, device: torch.device) -> float:
    """Seconds a byte of the largest checkpoint of the sample, on the disk of the working folder."""
    trainer = _trainer(max(sample.nets, key=lambda net: net.parameters), sample.precision, device)
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".calibration-") as folder:
        path = Path(folder) / "checkpoint.safetensors"
        started = time.perf_counter()
        checkpoint.save(path, "calibration", trainer.tensors, trainer.saved_state())
        return (time.perf_counter() - started) / path.stat().st_size


def _peak_memory() -> float:
    """Bytes that this process has taken at most so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else 1024 * peak)


def side_by_side() -> int:
    """Jobs that this machine runs at once: one a GPU, else one a processor that this process may use."""
    if choose_device().type == "cuda":
        return torch.cuda.device_count()
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
