"""What is measured on the test images."""

from typing import Annotated

from pydantic import Field

from mimic.support.frozen import Frozen, Positive
from mimic.training.recipe import Precision


class Evaluation(Frozen):
    """What is measured on the test images."""

    calibration_bins: Annotated[int, Field(ge=2, le=1000)] = 15
    """of the expected calibration error"""
    translations: tuple[Positive, ...] = (1, 2, 4)
    """pixels, in each of four directions"""


class EvaluationTask(Frozen):
    """Measure one model, or the best models of a search, on the test images."""

    precision: Precision
    evaluation: Evaluation


class ComparisonTask(Frozen):
    """Join the measures of all models, and compare each with the ensemble."""
