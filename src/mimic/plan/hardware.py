"""How fast work is done on some hardware: assumed from a table, or measured (see calibrate.py)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from mimic.core.errors import MimicError
from mimic.core.tasks import Precision
from mimic.plan.nets import COPIES, SAVED_COPIES, Net
from mimic.plan.work import Training, Work
from mimic.training.predict import BATCH

READING = 2e-9  # seconds a byte, to read and digest it (ours)
GPU_CONTEXT = 0.6e9  # bytes that CUDA takes on a GPU before the first tensor (ours)


@dataclass(frozen=True)
class Pace:
    """What was measured of one net."""

    net: Net
    training: float  # seconds an image, without augmentation
    prediction: float  # seconds an image


@dataclass(frozen=True)
class Hardware:
    """What runs one job: a GPU with its share of processors, or processor threads."""

    name: str
    device: Literal["cpu", "gpu"]
    jobs: tuple[int, ...]  # side by side, unless the user says how many
    start: float  # seconds from a job's call to its first step
    augmentation: float  # seconds an image, standardisation included
    saving: float  # seconds a byte of a checkpoint
    process: float  # bytes of memory that a job takes before it holds images
    layer: float  # least seconds that one layer takes in one training step
    flops: dict[Precision, float]  # floating-point operations a second of a job in training
    paces: tuple[Pace, ...] = ()  # where nets were measured, they count instead of `flops`

    def training_seconds(self, net: Net, precision: Precision) -> float:
        """Of one image, without augmentation."""
        measured = _interpolated(((pace.net, pace.training) for pace in self.paces), net)
        if measured is not None:
            return measured
        return max(6 * net.multiply_adds / self.flops[precision], self.layer * net.depth / net.batch_size)

    def prediction_seconds(self, net: Net, precision: Precision) -> float:
        """Of one image."""
        measured = _interpolated(((pace.net, pace.prediction) for pace in self.paces), net)
        if measured is not None:
            return measured
        return max(2 * net.multiply_adds / self.flops[precision], self.layer * net.depth / 3 / BATCH)

    def seconds(self, works: Iterable[Work], precision: Precision) -> float:
        """Of one process that does `works` as a cohort: they share its start and its augmented images."""
        works = list(works)
        trainings = [work.training for work in works if work.training]
        stream = max((training.epochs * training.images for training in trainings), default=0)
        return (
            self.start
            + self.augmentation * (stream + sum(work.augmented for work in works))
            + sum(self._training(training, precision) for training in trainings)
            + sum(work.seconds + READING * work.read + self._predictions(work, precision) for work in works)
        )

    def _training(self, training: Training, precision: Precision) -> float:
        net = training.net
        epoch = (
            training.images * self.training_seconds(net, precision)
            + training.validation * self.prediction_seconds(net, precision)
            + checkpoint_bytes(net) * self.saving
        )
        return training.epochs * epoch

    def _predictions(self, work: Work, precision: Precision) -> float:
        seconds = sum(images * self.prediction_seconds(net, precision) for net, images in work.predictions)
        return seconds / work.threads if self.device == "cpu" else seconds

    def memory(self, works: Iterable[Work], precision: Precision) -> tuple[float, float]:
        """Bytes that a process takes on the host, and on the GPU (0 without one), doing `works` as a cohort.

        Members hold weights of their own, share images and logits, and compute one after another.
        """
        works = list(works)
        nets = {net for work in works for net, _ in work.predictions}
        weights = sum(4 * COPIES * work.training.net.parameters for work in works if work.training)
        fixed = sum(4 * net.parameters for net in nets) if not weights else 0
        number = 2 if precision == "bf16" else 4
        computing = max((_working(net, number, bool(weights)) for net in nets), default=0)
        held = max(work.held for work in works)
        tensors = held + weights + fixed + computing
        return (
            (self.process + held, GPU_CONTEXT + tensors)
            if self.device == "gpu"
            else (self.process + tensors, 0)
        )


def checkpoint_bytes(net: Net) -> float:
    """The size of a checkpoint."""
    return 4.0 * SAVED_COPIES * net.parameters


def _working(net: Net, number: int, training: bool) -> float:
    """Bytes of activations: in training all of a batch with their gradients, else the largest layer's.

    Twice, since what is freed is kept, and convolutions need room of their own (ours).
    """
    predicting = number * BATCH * net.widest
    return 2 * max(predicting, 2 * number * net.batch_size * net.activations if training else 0)


def _interpolated(paces: Iterable[tuple[Net, float]], net: Net) -> float | None:
    """Seconds an image of a net from those of its kind: a power law between two sizes, in proportion beyond.

    None where no net of its kind was measured.
    """
    known = sorted((other.multiply_adds, pace) for other, pace in paces if other.kind == net.kind)
    if not known:
        return None
    size = net.multiply_adds
    for (small, fast), (large, slow) in pairwise(known):
        if small <= size <= large and small < large:
            return fast * (size / small) ** (math.log(slow / fast) / math.log(large / small))
    nearest, pace = known[0] if size < known[0][0] else known[-1]
    return pace * size / nearest


def _gpu(name: str, bf16: float, fp32: float) -> Hardware:
    """A GPU in a cluster: jobs through SLURM, results on a shared file system."""
    return Hardware(
        name, "gpu", jobs=(1, 4, 16, 64, 256), start=30.0, augmentation=1 / 200_000, saving=1 / 300e6,
        process=3e9, layer=0.2e-3, flops={"bf16": bf16, "fp32": fp32},
    )  # fmt: skip


# Assumptions of ours, not measurements: achieved, not peak, speed of nets this small at batches of 128.
TABLE = {
    hardware.name: hardware
    for hardware in (
        _gpu("v100", bf16=6e12, fp32=6e12),  # knows no bf16
        _gpu("a100", bf16=4e13, fp32=1e13),
        _gpu("h100", bf16=8e13, fp32=2.5e13),
        _gpu("rtx4090", bf16=4e13, fp32=2.5e13),
        Hardware(
            "laptop-2-cores", "cpu", jobs=(2,), start=5.0, augmentation=1 / 15_000, saving=1 / 300e6,
            process=0.6e9, layer=0.1e-3, flops={"bf16": 4e10, "fp32": 4e10},
        ),
    )
}  # fmt: skip
HERE = "here"


def named(name: str) -> Hardware:
    """The hardware of the table called `name`. Raises MimicError for any other."""
    if name not in TABLE:
        raise MimicError(
            f"--hardware {name}: must be {HERE} (this machine, measured) or one of {', '.join(TABLE)}"
        )
    return TABLE[name]
