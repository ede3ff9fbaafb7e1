"""How accuracy bears small translations, which convolution and pooling should bear well."""

from collections.abc import Callable, Iterator

import numpy as np

from mimic.evaluation.metrics import accuracy
from mimic.support.errors import MimicError

HEIGHT, WIDTH = 2, 3  # axes of NCHW


def shifted(images_NCHW: np.ndarray, pixels: int) -> Iterator[np.ndarray]:
    """The images moved by `pixels` up, down, left and right, four arrays one after another.

    What moves in is a copy of the border (ours). Raises MimicError unless 1 <= pixels < side.
    """
    side = min(images_NCHW.shape[HEIGHT:])
    if not 1 <= pixels < side:
        raise MimicError(
            f"evaluation.translations: {pixels} must be at least 1 and less than {side} pixels, the side"
        )
    for axis, offset in ((HEIGHT, pixels), (HEIGHT, -pixels), (WIDTH, pixels), (WIDTH, -pixels)):
        side = images_NCHW.shape[axis]
        yield images_NCHW.take(np.arange(offset, offset + side).clip(0, side - 1), axis=axis)


def translation_accuracy(
    logits_of: Callable[[np.ndarray], np.ndarray], images_NCHW: np.ndarray, labels_N: np.ndarray, pixels: int
) -> float:
    """The mean accuracy over the four directions, of a model that maps images_NCHW to logits_NK."""
    accuracies = [accuracy(logits_of(moved_NCHW), labels_N) for moved_NCHW in shifted(images_NCHW, pixels)]
    return float(np.mean(accuracies))
