"""Students trained by separate jobs, against the same students as a cohort on one stream of images.

Usage: python benchmarks/cohort.py [--families mlp2 conv2] [--members 4] [--images 3000] [--epochs 2]

Jobs are processes, as in a study. Wall time and processor seconds include their starts, which weigh more
in so short a training than in a real one; "training" are the seconds in the members' records added up,
without starts. An x says how often the cohort's figure fits into that of the separate jobs.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from mimic.data.image_parameters import Augmentation
from mimic.data.packed import write_packed
from mimic.distill.students import train_students
from mimic.engine.provenance import processor
from mimic.nets.families import STUDENTS
from mimic.search.points import net_of
from mimic.search.spaces import Goal
from mimic.support.context import Context
from mimic.training.losses.cross_entropy import CrossEntropy
from mimic.training.recipe import Student, StudentTask
from mimic.training.schedules.one_cycle import OneCycle

BUDGET, PARAMETERS = "1M", 1_000_000
WIDTHS = {
    "mlp1": {"fc": 4000},
    "mlp2": {"lfc": 0.5, "fc1": 1.0, "fc2": 1.0},
    "conv1": {"c": 48, "fc": 800},
    "conv2": {"c1": 48, "c2": 64},
    "conv3": {"c1": 48, "c2": 64, "c3": 96},
}


def pack_noise(folder: Path, images: int) -> None:
    """Speed does not depend on what is in the images."""
    random = np.random.default_rng(0)
    splits = {
        split: (
            random.integers(256, size=(count, 3, 32, 32), dtype=np.uint8),
            random.integers(10, size=count),
        )
        for split, count in {"train": images, "validation": images // 5, "test": 10}.items()
    }
    write_packed(folder, splits, tuple("abcdefghij"), "noise")


def work(folder: Path, family: str, epochs: int, threads: int, members: list[int]) -> None:
    """What one job does: train these repetitions of a student on the data in `folder`."""
    student = Student(learning_rate=1e-3, momentum=0.9, widths=WIDTHS[family])
    goal = Goal(family=STUDENTS[family], parameters=PARAMETERS, classes=10, image_size=32)
    contexts, tasks = [], []
    for member in members:
        task = StudentTask(
            seed=1,
            precision="bf16",
            augmentation=Augmentation(),
            transfer_epochs=epochs,
            batch_size=128,
            schedule=OneCycle(epochs=epochs),
            loss=CrossEntropy(),
            family=family,
            budget=BUDGET,
            arm="labels",
            repetition=member,
            student=student,
            net=net_of(goal, student),
        )
        out = Path(tempfile.mkdtemp(dir=folder))
        context = Context(
            task=task,
            out=out,
            inputs={"data/data": folder},
            name=f"{family}-s{member}",
            training=out / "training",
            threads=threads,
            progress=lambda line: None,
        )
        contexts.append(context)
        tasks.append(task)
    for context in train_students(contexts, tasks):
        print(json.loads((context.out / "record.json").read_text())["seconds"])


def run_job(folder: Path, family: str, epochs: int, threads: int, members: list[int]) -> float:
    """Train some members in a process of their own; the seconds in their records."""
    command = [sys.executable, __file__, "--families", family, "--epochs", str(epochs)]
    command += ["--work", str(folder), str(threads), *map(str, members)]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return sum(map(float, done.stdout.split()))


def processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(folder: Path, family: str, epochs: int, jobs: list[list[int]], threads: int, at_once: int):
    """Wall time, processor seconds and recorded seconds of jobs, so many at once."""
    begun, used = time.perf_counter(), processor_seconds()
    with ThreadPoolExecutor(at_once) as pool:
        recorded = sum(pool.map(lambda members: run_job(folder, family, epochs, threads, members), jobs))
    return np.array([time.perf_counter() - begun, processor_seconds() - used, recorded])


def comparisons(members: int, cores: int) -> Iterator[tuple[str, dict, dict[str, dict]]]:
    """The separate jobs of each comparison, and the cohorts to set against them."""
    each, whole = [[member] for member in range(members)], [list(range(members))]
    cohort = {f"one cohort of {members}, 1 thread": {"jobs": whole, "threads": 1, "at_once": 1}}
    yield f"{members} jobs one after another, 1 thread", {"jobs": each, "threads": 1, "at_once": 1}, cohort
    if cores == 1:
        return
    cohorts = {f"one cohort of {members}, {cores} threads": {"jobs": whole, "threads": cores, "at_once": 1}}
    if members >= 2 * cores:
        parts = [part.tolist() for part in np.array_split(np.arange(members), cores)]
        side_by_side = {"jobs": parts, "threads": 1, "at_once": cores}
        cohorts[f"{cores} cohorts of {members // cores} side by side, 1 thread each"] = side_by_side
    jobs = {"jobs": each, "threads": 1, "at_once": cores}
    yield f"{members} jobs, {cores} at a time, 1 thread each", jobs, cohorts


def line(name: str, seconds: np.ndarray, reference: np.ndarray | None = None) -> str:
    figures = [f"{value:8.1f} s" for value in seconds]
    if reference is not None:
        figures = [f"{text} {ratio:5.2f} x" for text, ratio in zip(figures, reference / seconds, strict=True)]
    return f"{name:48}" + "".join(f"{text:20}" for text in figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", nargs="+", choices=WIDTHS, default=["mlp2", "conv2"])
    parser.add_argument("--members", type=int, default=4)
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--work", nargs="+", help=argparse.SUPPRESS)  # folder, threads, members: be a job
    options = parser.parse_args()
    if options.work:
        folder, threads, *members = options.work
        work(Path(folder), options.families[0], options.epochs, int(threads), list(map(int, members)))
        return
    print(f"{options.cores} cores of {processor()}; torch {torch.__version__}")
    print(f"load average before the start: {os.getloadavg()[0]:.1f}")
    print(f"{options.images} images of 32 x 32 pixels, {options.epochs} epochs, batches of 128, bf16")
    with tempfile.TemporaryDirectory() as folder:
        pack_noise(Path(folder), options.images)
        for family in options.families:
            title = f"{family} at {BUDGET} parameters"
            print(f"\n{title:48}{'wall time':>10}{'processor':>20}{'training':>20}")
            for name, separate, cohorts in comparisons(options.members, options.cores):
                reference = measure(Path(folder), family, options.epochs, **separate)
                print(line(name, reference), flush=True)
                for cohort, jobs in cohorts.items():
                    seconds = measure(Path(folder), family, options.epochs, **jobs)
                    print(line(cohort, seconds, reference), flush=True)


if __name__ == "__main__":
    main()
