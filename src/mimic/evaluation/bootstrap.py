"""How certain an accuracy, or a difference between two, is: percentile bootstrap intervals.

A resample draws test images with replacement and, where a model was trained from several seeds, seeds
too, each on their own (the pigeonhole bootstrap of Owen, 2007). Both models of a difference meet the
same resampled images; the seeds of one have nothing to do with the other's. The method is ours: the
paper gives no intervals.

Images on which every seed of every model is right or wrong in the same way are interchangeable. So a
resample needs no list of images: it is one multinomial draw of how often each such pattern occurs.
"""

from dataclasses import dataclass

import numpy as np

from mimic.data.seeds import stream
from mimic.support.errors import MimicError

BLOCK = 2**21  # cells of the largest table held at once


@dataclass(frozen=True)
class Interval:
    """An observed mean and its bounds, fractions of 1."""

    mean: float
    low: float
    high: float


def accuracy_interval(correct_SN: np.ndarray, resamples: int, confidence: float, seed: int) -> Interval:
    """The mean accuracy over seeds and images. `correct_SN` is bool: [seeds, test images]."""
    return _interval([(1, correct_SN)], resamples, confidence, seed)


def difference_interval(
    outcome_A_SN: np.ndarray, outcome_B_SN: np.ndarray, resamples: int, confidence: float, seed: int
) -> Interval:
    """The mean of A less that of B, paired over the test images: [seeds, images] of any few values.

    An outcome is whether a model is right, or what it gains over another on an image: -1, 0 or 1. The
    numbers of seeds may differ. Raises MimicError when the two are not of equally many images.
    """
    images_A, images_B = outcome_A_SN.shape[1], outcome_B_SN.shape[1]
    if images_A != images_B:
        raise MimicError(
            f"a paired comparison needs the same test images for both models, not {images_A} and {images_B}"
        )
    return _interval([(1, outcome_A_SN), (-1, outcome_B_SN)], resamples, confidence, seed)


def _interval(models: list[tuple[int, np.ndarray]], resamples: int, confidence: float, seed: int) -> Interval:
    """The interval of the sum of mean outcomes, each with its sign."""
    signs, outcomes = zip(*models, strict=True)
    patterns_SP, images_P = np.unique(np.concatenate(outcomes), axis=1, return_counts=True)
    parts = np.split(patterns_SP, np.cumsum([len(outcome_SN) for outcome_SN in outcomes])[:-1])
    seed_streams = [stream(seed, "bootstrap", "seeds", index) for index in range(len(models))]
    image_stream, images = stream(seed, "bootstrap", "images"), images_P.sum()
    statistics_R, block = np.empty(resamples), max(1, BLOCK // len(images_P))
    for first in range(0, resamples, block):
        counts_RP = image_stream.multinomial(images, images_P / images, min(block, resamples - first))
        statistics_R[first : first + block] = sum(
            sign * _mean(part_SP, counts_RP, random)
            for sign, part_SP, random in zip(signs, parts, seed_streams, strict=True)
        )
    low, high = np.quantile(statistics_R, [(1 - confidence) / 2, (1 + confidence) / 2])
    mean = sum(sign * outcome_SN.mean() for sign, outcome_SN in models)
    return Interval(float(mean), float(low), float(high))


def _mean(patterns_SP: np.ndarray, counts_RP: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The mean outcome in each resample [R] of images, with seeds drawn from `random`."""
    seeds = len(patterns_SP)
    draws_RS = random.multinomial(seeds, np.full(seeds, 1 / seeds), len(counts_RP))
    # Whole numbers in float64, for speed: still exact.
    summed_RP = draws_RS.astype(np.float64) @ patterns_SP.astype(np.float64)
    return np.einsum("rp,rp->r", summed_RP, counts_RP) / (seeds * counts_RP.sum(axis=1))
