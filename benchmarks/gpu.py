"""Whole epochs on a GPU: shares of its peak, and how far launches of kernels bound them.

Usage: python -m benchmarks.gpu [--batch 128 512] [--only conv2 …] [--images 40000] [--repetitions 3]

The peak is a product of two bf16 matrices of 8192 x 8192, measured in turns. Busy is the share of an epoch's
time in which the GPU computes: where it is low, launching bounds the epoch, and a larger batch helps.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.clocks import matrix_product_flops, timed
from benchmarks.subjects import Images, Subject, subjects
from benchmarks.tables import Table
from benchmarks.training import epoch, epoch_flops, images_for, warm_up
from mimic.training.precision import choose_device, prepare
from mimic.training.recipe import StudentTask

SIDE = 8192
COHORT = 4  # members, as the presets' default


def busy(work: Callable[[], object]) -> float:
    """The share of the time of `work` in which kernels ran."""
    activities = [torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        taken = timed(work).wall
    kernels = [e for e in profile.events() if e.device_type == torch.autograd.DeviceType.CUDA]
    return sum(event.time_range.elapsed_us() for event in kernels) / 1e6 / taken


def measure(table: Table, name: str, members: Sequence[Subject], images: Images, repetitions: int) -> None:
    """One row: an epoch on all images."""
    count = images_for(len(images.split("train").labels_N), members[0].task.batch_size)
    data, device = images.part(count), choose_device()

    def work() -> None:
        epoch(members, data)
        torch.cuda.synchronize(device)

    warm_up(members, images)
    shares, rates = [], []
    for _ in range(repetitions):
        peak = matrix_product_flops(SIDE, device).wall
        taken = timed(work).wall
        shares.append(epoch_flops(members, count) / taken / peak)
        rates.append(len(members) * count / taken)
    table.add(name, rates, shares, busy(work))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, nargs="+", default=[128, 512])
    parser.add_argument(
        "--only", nargs="+", choices=list(subjects()), default=list(subjects()), metavar="NET"
    )
    parser.add_argument("--images", type=int, default=40_000)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    if choose_device().type != "cuda":
        print("benchmarks.gpu: torch sees no CUDA device here: nothing is measured", file=sys.stderr)
        return 1
    prepare(threads=1)
    columns = {"images/s": "rate", "share of peak": "share", "busy": "share"}
    table = Table(torch.cuda.get_device_name(), f"torch {torch.__version__}, by the wall.", columns)
    with tempfile.TemporaryDirectory() as folder:
        images = Images(Path(folder) / "images", options.images)
        for name in options.only:
            for batch in options.batch:
                subject = subjects()[name]
                subject = replace(subject, task=subject.task.model_copy(update={"batch_size": batch}))
                title = f"{subject.description}, batches of {batch}"
                measure(table, title, [subject], images, options.repetitions)
                if isinstance(subject.task, StudentTask):
                    cohort = [subject] * COHORT
                    measure(table, f"{title}, a cohort of {COHORT}", cohort, images, options.repetitions)
    print(table.markdown())
    return 0


if __name__ == "__main__":
    sys.exit(main())
