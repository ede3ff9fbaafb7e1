"""How fast work is done on some hardware: assumed from a table, or measured (see calibrate.py)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod
from typing import Literal

import numpy as np

from mimic.plan.nets import PlannedNet
from mimic.plan.work import Work
from mimic.support.errors import MimicError
from mimic.training.recipe import Precision

BATCH = 500  # images predicted at once, as in mimic.training.predict, whose import takes torch's seconds
READING = 2e-9  # seconds a byte, to read and digest it (ours)
GPU_CONTEXT = 0.6e9  # bytes that CUDA takes on a GPU before the first tensor (ours)
COPIES = 3  # of the weights while training: they, their gradients, the best so far; and the optimiser's


@dataclass(frozen=True)
class Pace:
    """What was measured of one net."""

    net: PlannedNet
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
    layer: float = 0.0  # least seconds that one layer takes in a forward pass
    flops: dict[Precision, float] = field(default_factory=dict)  # floating-point operations a second of a job
    paces: tuple[Pace, ...] = ()  # where nets were measured, they count instead of `flops`

    def image_seconds(self, net: PlannedNet, precision: Precision, training: bool) -> float:
        """Of one image through `net`: three forward passes where it trains, without augmentation."""
        alike = [pace for pace in self.paces if pace.net.kind == net.kind]
        if alike:
            seconds = [pace.training if training else pace.prediction for pace in alike]
            return _interpolated([pace.net.multiply_adds for pace in alike], seconds, net.multiply_adds)
        passes, batch = (3, net.batch_size) if training else (1, BATCH)
        return passes * max(2 * net.multiply_adds / self.flops[precision], self.layer * net.depth / batch)

    def seconds(self, works: Iterable[Work], precision: Precision) -> float:
        """Of one process that does `works` as a cohort: they share its start and its augmented images."""
        seconds = self.start + self.augmentation * max(work.augmented for work in works)
        for work in works:
            seconds += work.seconds + READING * work.read
            for net, images in work.predictions:
                seconds += images * self.image_seconds(net, precision, training=False)
            if net := work.trained:
                seconds += work.augmented * self.image_seconds(net, precision, training=True)
                seconds += work.epochs * self.saving * net.checkpoint
        return seconds

    def memory(self, works: Iterable[Work], precision: Precision) -> tuple[float, float]:
        """Bytes that a process takes on the host, and on the GPU (0 without one), doing `works` as a cohort.

        Members hold weights of their own, share images and logits, and compute one after another. Room for
        activations counts twice, since what is freed is kept, and convolutions need some of their own (ours).
        """
        trained = [work.trained for work in works if work.trained]
        nets = {net for work in works for net, _ in work.predictions}
        weights = sum((COPIES + net.optimiser_copies) * net.parameters for net in trained)
        weights = weights or sum(net.parameters for net in nets)
        number = 2 if precision == "bf16" else 4
        with_gradients = [2 * net.batch_size * sum(map(prod, net.shapes[1:])) for net in trained]
        predicting = [BATCH * max(map(sum, pairwise(map(prod, net.shapes)))) for net in nets]
        held = max(work.held for work in works)
        tensors = held + 4 * weights + 2 * number * max([*with_gradients, *predicting], default=0)
        if self.device == "gpu":
            return self.process + held, GPU_CONTEXT + tensors
        return self.process + tensors, 0.0


def _interpolated(sizes: list[int], seconds: list[float], size: int) -> float:
    """Seconds of a net: a power law of multiply-adds between two nets, in proportion beyond them all."""
    known = np.log(sorted(zip(sizes, seconds, strict=True)))
    within = np.clip(np.log(size), known[0, 0], known[-1, 0])
    return float(np.exp(np.interp(within, *known.T) + np.log(size) - within))


def _gpu(name: str, bf16: float, fp32: float) -> Hardware:
    """A GPU in a cluster: jobs through SLURM, results on a shared file system."""
    return Hardware(
        name, "gpu", jobs=(1, 4, 16, 64, 256), start=30.0, augmentation=1 / 200_000, saving=1 / 300e6,
        process=3e9, layer=0.07e-3, flops={"bf16": bf16, "fp32": fp32},
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
            process=0.6e9, layer=0.03e-3, flops={"bf16": 4e10, "fp32": 4e10},
        ),
        Hardware(  # a core of a Xeon with AMX was seen to train at 280 to 340 GFLOP/s
            "amx-2-cores", "cpu", jobs=(2,), start=5.0, augmentation=1 / 25_000, saving=1 / 300e6,
            process=0.6e9, layer=0.03e-3, flops={"bf16": 3e11, "fp32": 8e10},
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
