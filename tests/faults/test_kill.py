"""Real cohorts in real processes, killed at instants of their own choosing, end as if nothing had been.

What remains of a killed process is what a power cut leaves, less the disk's own caches.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

import mimic

TRAINING = """
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from mimic.data.augment import Augmenter
from mimic.data.image_parameters import Augmentation
from mimic.support.interrupt import Interrupted, StopFlag
from mimic.training import precision
from mimic.training.fit import fit
from mimic.training.member import Member, Validation
from mimic.training.losses.cross_entropy import CrossEntropy
from mimic.training.optimisers.adamw import AdamW
from mimic.training.optimisers.muon import Muon
from mimic.training.optimisers.sgd import SGD
from mimic.training.schedules.one_cycle import OneCycle
from mimic.training.schedules.patience import Patience
from mimic.training.streams import AugmentedStream
from mimic.training.trainer import FitTask

folder = Path(sys.argv[1])
precision.prepare(threads=1)
random = np.random.default_rng(0)
images_NCHW = random.integers(0, 256, (300, 3, 8, 8), dtype=np.uint8)
labels_N = torch.from_numpy(random.integers(3, size=300))


class Told(AugmentedStream):
    '''Tells each step to whoever started the process, and waits for leave to take it.'''

    def batches(self, epoch, first=0):
        for batch in super().batches(epoch, first):
            print("step", flush=True)
            sys.stdin.readline()
            yield batch


def member(name, schedule, precision, optimiser):
    net = nn.Sequential(
        *(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.MaxPool2d(2), nn.ReLU(), nn.Dropout(0.3)),
        *(nn.Flatten(), nn.Linear(16 * 9, 3)),
    )
    with torch.no_grad():
        for weight in net.parameters():
            weight.copy_(torch.from_numpy(random.normal(0, 0.1, weight.shape)))
    options = {"learning_rate": 0.02, "momentum": 0.9, "loss": CrossEntropy(), "seed": 1}
    task = FitTask(schedule=schedule, precision=precision, optimiser=optimiser, **options)
    return Member(net, task, folder / name, name, print)


members = [
    member("one_cycle", OneCycle(epochs=10), "bf16", Muon()),
    member("patience", Patience(patience=1, stop=9), "fp32", SGD()),
    member("short", OneCycle(epochs=3), "fp32", AdamW()),
]
with StopFlag() as stop:
    stream = Told(
        images_NCHW[:200],
        labels_N[:200],
        Augmenter(Augmentation(window=(6, 8)), image_size=8),
        batch_size=10,
        seed=1,
        augmentation=("augmentation",),
        order=("order",),
        device=torch.device("cpu"),
    )
    validation = Validation(torch.from_numpy(images_NCHW[200:]), labels_N[200:])
    try:
        for done, outcome in fit(members, stream, validation, stop):
            weights = {name: weight.contiguous() for name, weight in done.net.state_dict().items()}
            save_file(weights, done.folder / "model.safetensors")
    except Interrupted as interrupted:
        sys.exit(128 + interrupted.signum)
"""
STEPS_PER_EPOCH = 20
SIGNALS = [signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGTERM]


def start(folder: Path, stdin=subprocess.DEVNULL) -> subprocess.Popen:
    command = [sys.executable, "-c", TRAINING, str(folder)]
    environment = os.environ | {"PYTHONPATH": str(Path(mimic.__file__).parents[1])}
    return subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, text=True, env=environment)


def complete(folder: Path) -> int:
    """Train undisturbed to the end; the steps that it took."""
    process = start(folder)
    output, _ = process.communicate()
    assert process.returncode == 0
    return output.count("step\n")


def kill(folder: Path, number: signal.Signals, steps: int, seconds: float) -> int:
    """Train for some steps and a moment more, then send a signal; the steps that it took."""
    with start(folder, stdin=subprocess.PIPE) as process:
        process.stdin.write("\n" * (steps + STEPS_PER_EPOCH))  # leave for so many, lest it ends too soon
        process.stdin.flush()
        for _ in range(steps):
            while process.stdout.readline() != "step\n":
                assert process.poll() is None
        time.sleep(seconds)
        process.send_signal(number)
        process.stdin.close()  # leave for any step
        output = process.stdout.read()
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
    return steps + output.count("step\n")


def result(folder: Path) -> tuple[dict, list]:
    """Weights as bytes, and the history without times."""
    weights = load_file(folder / "model.safetensors")
    history = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    for epoch in history:
        del epoch["seconds"], epoch["images_per_second"]
    return {name: weight.numpy().tobytes() for name, weight in weights.items()}, history


@pytest.mark.quick
def test_killed_again_and_again_a_cohort_ends_with_the_same_bits(tmp_path):
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    steps = -complete(undisturbed)
    instants = random.Random(1)
    for number in SIGNALS:
        steps += kill(killed, number, instants.randint(1, 25), instants.uniform(0, 0.02))
    assert not (killed / "one_cycle" / "model.safetensors").exists()
    steps += complete(killed)
    for name in ("one_cycle", "patience", "short"):
        assert result(killed / name) == result(undisturbed / name)
    # SIGTERM loses no step, SIGKILL at most those since the last epoch's end.
    assert 0 <= steps <= SIGNALS.count(signal.SIGKILL) * STEPS_PER_EPOCH
