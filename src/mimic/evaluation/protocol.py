"""What is measured on the test images."""

from typing import Annotated

from pydantic import Field

from mimic.data.image_parameters import Augmentation
from mimic.support.frozen import Frozen, Positive
from mimic.training.recipe import Precision


class Evaluation(Frozen):
    """What is measured on the test images."""

    calibration_bins: Annotated[int, Field(ge=2, le=1000)] = 15
    """of the expected calibration error"""
    translations: tuple[Positive, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    """pixels, each image in one of four directions"""


class EvaluationTask(Frozen):
    """Measure one model, or the best models of a search, on the test images."""

    seed: int
    precision: Precision
    augmentation: Augmentation
    evaluation: Evaluation


class ComparisonTask(Frozen):
    """Join the measures of all models."""
