"""What is asked of the steps from teachers to targets."""

from typing import Literal

from mimic.data.image_parameters import Augmentation
from mimic.support.frozen import Frozen, Positive, option
from mimic.training.recipe import Precision


class Ensemble(Frozen):
    """Greedy forward selection by validation accuracy."""

    size: Positive = 16
    """members at most"""
    stop_without_gain: bool = False
    """true: end when no candidate raises the validation accuracy"""
    mirrored: bool = option(False)
    """the mean of the logits of an image and of its mirror image (ours)"""


class EnsembleTask(Frozen):
    """Select the members of the ensemble on validation data."""

    ensemble: Ensemble


class LogitsTask(Frozen):
    """The ensemble's logits on a block of epochs of the transfer set."""

    seed: int
    precision: Precision
    augmentation: Augmentation
    dtype: Literal["float16", "float32"]
    first_epoch: int
    epochs: int
