"""Whole trainings against traces kept as text: a change of the figures is a change on purpose, or a fault.

To make the traces anew after such a change, and then to read the difference:

    MIMIC_REGENERATE=1 python -m pytest tests/training/test_golden.py && git diff tests/training/golden
"""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from mimic.support.interrupt import StopFlag
from mimic.training.fit import fit
from mimic.training.losses.l2 import L2
from mimic.training.member import Member
from mimic.training.schedules.one_cycle import OneCycle
from mimic.training.schedules.patience import Patience

GOLDEN = Path(__file__).parent / "golden"
COLUMNS = ("epoch", "learning_rate", "train_loss", "validation_error", "validation_loss")


def logits(epoch: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(epoch).normal(size=(40, 3))).float()


TRAININGS = {
    "labels": ({"schedule": OneCycle(epochs=6), "weight_decay": 0.001}, {}),
    "logits": (
        {"schedule": Patience(patience=1, cooldown=1, stop=4), "loss": L2(), "learning_rate": 0.01},
        {"targets": logits, "cycle": 3},
    ),
}


def set_weights(net: torch.nn.Module) -> torch.nn.Module:
    """To draws of numpy's, which outlast versions of torch."""
    random = np.random.default_rng(0)
    for weight in net.parameters():
        weight.data = torch.from_numpy(random.normal(0, 0.2, weight.shape)).float()
    return net


@pytest.mark.parametrize("name", TRAININGS)
def test_training_goes_as_it_went(tiny, tmp_path, name):
    task, stream = TRAININGS[name]
    net, path = set_weights(tiny.net()), GOLDEN / f"{name}.txt"
    member = Member(net, tiny.task(**task), tmp_path, "key", lambda line: None)
    [(_, outcome)] = fit([member], tiny.stream(**stream), tiny.validation(), StopFlag())
    found = np.array([[epoch[column] for column in COLUMNS] for epoch in outcome.history])
    if os.environ.get("MIMIC_REGENERATE"):
        np.savetxt(path, found, fmt="%.6g", header=" ".join(COLUMNS))
        pytest.skip(f"wrote {path}")
    # Processors round differently; one image of 60 may change sides.
    tolerance = np.array([0, 1e-6, 2e-3, 0.02, 2e-3])
    assert (np.abs(found - np.loadtxt(path)) <= tolerance).all(), f"\n{found}\ndiffers from {path}"
