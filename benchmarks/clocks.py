"""Two clocks, and ratios of what was measured in turns.

Wall time is what a person waits; others on the machine lengthen it. Processor time, of this process and all
that it started, is what the machine was given to do: ratios of it hold when others use the machine too.
"""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psutil
import torch

from mimic.training.precision import product_dtype

TRIES = 3  # of a matrix product, of which the fastest counts


@dataclass(frozen=True)
class Seconds:
    """A stretch of time by both clocks."""

    wall: float
    processor: float

    def __sub__(self, earlier: "Seconds") -> "Seconds":
        return Seconds(self.wall - earlier.wall, self.processor - earlier.processor)


def now() -> Seconds:
    """Both clocks; the processor's counts this process, its children, and those that have ended."""
    ended = os.times()
    children = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    alive = sum(times.user + times.system for times in children)
    processor = time.process_time() + ended.children_user + ended.children_system + alive
    return Seconds(time.perf_counter(), processor)


def timed(work: Callable[[], object]) -> Seconds:
    """How long `work` takes. On a GPU it must end with a wait for the device."""
    start = now()
    work()
    return now() - start


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> list[float]:
    """Of each repetition's pair, so that what slows the machine for a while slows both."""
    return [above / below for above, below in zip(numerators, denominators, strict=True)]


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Least, median, greatest."""
    return min(values), statistics.median(values), max(values)


def matrix_product_flops(side: int = 2048, device: torch.device | str = "cpu") -> Seconds:
    """Floating-point operations a second in a product of two matrices, by each clock: the peak.

    In bf16 where the hardware multiplies it, else in fp32, as training does.
    """
    matrices = torch.randn(2, side, side, device=device)
    matrices = matrices.to(product_dtype(matrices.device, "bf16"))

    def product() -> None:
        matrices[0] @ matrices[1]
        if matrices.device.type == "cuda":
            torch.cuda.synchronize()

    product()
    taken = [timed(product) for _ in range(TRIES)]
    operations = 2 * side**3
    return Seconds(operations / min(t.wall for t in taken), operations / min(t.processor for t in taken))
