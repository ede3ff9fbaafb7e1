"""A problem small enough to train on in a moment: coloured noise in three classes, 8 x 8 pixels."""

import json
import signal
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mimic.data.augment import Augmenter
from mimic.data.image_parameters import Augmentation
from mimic.support.interrupt import StopFlag
from mimic.training import checkpoint, precision
from mimic.training.losses.cross_entropy import CrossEntropy
from mimic.training.member import CHECKPOINT, HISTORY, Validation
from mimic.training.outcome import Outcome
from mimic.training.schedules.one_cycle import OneCycle
from mimic.training.streams import AugmentedStream
from mimic.training.trainer import FitTask

CLASSES = 3
TRAIN, VALIDATION = 40, 60
BATCH_SIZE = 12  # so that an epoch ends with a smaller batch
STEPS_PER_EPOCH = 4
KEY = "0123abcd"  # of trainings whose key does not matter


@pytest.fixture(autouse=True, scope="session")
def repeatable() -> None:
    precision.prepare(threads=1)


@dataclass
class Tiny:
    """Everything that `fit` wants."""

    device: torch.device

    def images(self, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """images_NCHW uint8 and labels_N int64."""
        random = np.random.default_rng([seed, count])
        labels_N = random.integers(CLASSES, size=count)
        colours_NC11 = np.eye(CLASSES)[labels_N][:, :, None, None] * 60
        return (60 + colours_NC11 + random.integers(0, 130, (count, 3, 8, 8))).astype(np.uint8), labels_N

    def net(self, seed: int = 0, dropout: float = 0.0, batch_normalisation: bool = False) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            normalisation = [nn.BatchNorm2d(4)] if batch_normalisation else []
            return nn.Sequential(
                *(nn.Conv2d(3, 4, 3), *normalisation, nn.MaxPool2d(2), nn.ReLU(inplace=True)),
                *(nn.Dropout(dropout), nn.Flatten(), nn.Linear(4 * 3 * 3, CLASSES)),
            )

    def mlp(self, seed: int = 0) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return nn.Sequential(
                nn.Flatten(), nn.Linear(192, 8), nn.ReLU(inplace=True), nn.Linear(8, CLASSES)
            )

    def stream(self, targets=None, **options) -> AugmentedStream:
        images_NCHW, labels_N = self.images(TRAIN)
        options = {"batch_size": BATCH_SIZE, "seed": 1, "augmentation": ("augmentation",), **options}
        return AugmentedStream(
            images_NCHW,
            torch.from_numpy(labels_N) if targets is None else targets,
            Augmenter(Augmentation(window=(6, 8)), image_size=8, device=self.device),
            order=("order",),
            device=self.device,
            **options,
        )

    def validation(self) -> Validation:
        images_NCHW, labels_N = self.images(VALIDATION, seed=1)
        return Validation(torch.from_numpy(images_NCHW), torch.from_numpy(labels_N))

    def task(self, **options) -> FitTask:
        defaults = {
            "learning_rate": 0.02,
            "momentum": 0.9,
            "schedule": OneCycle(epochs=3),
            "loss": CrossEntropy(),
            "precision": "fp32",
            "seed": 1,
        }
        return FitTask(**(defaults | options))

    def history(self, outcome: Outcome) -> list[dict]:
        """Without times."""
        return [_untimed(epoch) for epoch in outcome.history]

    def traces(self, net: nn.Module, outcome: Outcome, folder: Path, key: str = KEY) -> dict:
        """All that a training leaves, but for times: to be compared to the bit."""
        saved = checkpoint.load(folder / CHECKPOINT, key, pytest.fail)
        live = [json.loads(line) for line in (folder / HISTORY).read_text().splitlines()]
        assert live == list(outcome.history)
        return {
            "weights": {name: weight.cpu().numpy().tobytes() for name, weight in net.state_dict().items()},
            "checkpoint": {name: tensor.numpy().tobytes() for name, tensor in saved.tensors.items()},
            "history": self.history(outcome),
            "outcome": _untimed(asdict(outcome)) | {"history": None},
        }


def _untimed(values: dict) -> dict:
    return {name: value for name, value in values.items() if name not in ("seconds", "images_per_second")}


@pytest.fixture(scope="session")
def tiny() -> Tiny:
    return Tiny(torch.device("cpu"))


@dataclass
class Watched:
    """A stream that calls `before(epoch, step, images, targets)` for what to hand on in each step."""

    stream: AugmentedStream
    before: callable

    @property
    def device(self) -> torch.device:
        return self.stream.device

    @property
    def steps_per_epoch(self) -> int:
        return self.stream.steps_per_epoch

    def batches(self, epoch: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        for step, (images_NCHW, targets) in enumerate(self.stream.batches(epoch, first), start=first):
            yield self.before(epoch, step, images_NCHW, targets)


@pytest.fixture(scope="session")
def watched() -> type[Watched]:
    return Watched


class RaisedAfter(StopFlag):
    """A flag that rises while the step of the given number is taken, counted over all sittings."""

    def __init__(self, stream: AugmentedStream, step: int) -> None:
        super().__init__()
        self.at = step
        self.stream = Watched(stream, self._before)

    def _before(self, epoch, step, *batch):
        if epoch * self.stream.steps_per_epoch + step + 1 >= self.at:
            self.set(signal.SIGTERM)
        return batch


@pytest.fixture(scope="session")
def raised_after() -> type[RaisedAfter]:
    return RaisedAfter
