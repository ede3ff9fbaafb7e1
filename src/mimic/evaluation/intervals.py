"""How certain an accuracy is, or a contrast of several: intervals over test images and seeds at once.

A contrast is a weighted sum of accuracies. Its models meet the same test images, so that images are paired;
each model has seeds of its own. Both are drawn from more: with S seeds and N images (a two-way layout
without replication),

    V = V_images + max(0, V_seeds - V_interaction)

where V_images is the variance over images of the seed-averaged contrast, over N; V_seeds the sum over models
of the variance of their seeds' means, over S; and V_interaction that of the residual mean squares, over S N,
which both of the others hold. Bounds are Student's t, its degrees of freedom Satterthwaite's. The method is
ours: the paper gives no intervals. Of a model with a single seed V_seeds can't be told: its interval is of
images alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from scipy.special import stdtr, stdtrit

from mimic.support.errors import MimicError

POWER = 0.8  # with which a difference is seen that `detectable` gives


@dataclass(frozen=True)
class Interval:
    """An observed mean and its bounds, fractions of 1."""

    mean: float
    low: float
    high: float
    error: float = 0.0  # standard error
    freedom: float = inf  # degrees of freedom
    seeds: int = 1  # of the model that has the fewest

    @property
    def detectable(self) -> float:
        """How far from zero the truth must lie for the interval to leave zero out, four times in five."""
        return (self.high - self.low) / 2 + float(stdtrit(self.freedom, POWER)) * self.error

    def chance_below(self, threshold: float) -> float:
        """The one-sided p-value of the hypothesis that the truth is `threshold` or more."""
        if self.error == 0:
            return float(self.mean >= threshold)
        return float(stdtr(self.freedom, (self.mean - threshold) / self.error))


def contrast(terms: Sequence[tuple[float, np.ndarray]], confidence: float) -> Interval:
    """The interval of a weighted sum of mean outcomes: (weight, outcome_SN) of each model.

    Outcomes are numbers, [seeds, images]: whether a model is right, or what it gains over another from the
    same seed. The numbers of seeds may differ. Raises MimicError when those of images do.
    """
    images = {outcome_SN.shape[1] for _, outcome_SN in terms}
    if len(images) > 1:
        numbers = " and ".join(map(str, sorted(images)))
        raise MimicError(f"a paired comparison needs the same test images for all models, not {numbers}")
    (number,) = images
    averaged_N = sum(weight * outcome_SN.mean(axis=0) for weight, outcome_SN in terms)
    parts = [(_variance(averaged_N) / number, number - 1)]
    seeds, interaction = [], 0.0
    for weight, outcome_SN in terms:
        count = len(outcome_SN)
        if count > 1:
            means_S = outcome_SN.mean(axis=1)
            seeds.append((weight**2 * _variance(means_S) / count, count - 1))
            residual_SN = outcome_SN - means_S[:, None] - outcome_SN.mean(axis=0) + means_S.mean()
            squares = (residual_SN**2).sum() / max(1, (count - 1) * (number - 1))
            interaction += weight**2 * squares / (number * count)
    between = sum(variance for variance, _ in seeds) - interaction
    if between > 0:
        parts += seeds
    variance = parts[0][0] + max(0.0, between)
    error, mean = sqrt(variance), float(np.mean(averaged_N))
    spread = sum(part**2 / freedom for part, freedom in parts if freedom)
    freedom = variance**2 / spread if spread else inf
    half = float(stdtrit(freedom, (1 + confidence) / 2)) * error
    return Interval(mean, mean - half, mean + half, error, freedom, min(len(o) for _, o in terms))


def _variance(values: np.ndarray) -> float:
    return float(np.var(values, ddof=1)) if len(values) > 1 else 0.0
