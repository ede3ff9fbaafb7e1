"""Translated copies of the test images, which convolution and pooling should bear well."""

import numpy as np

from mimic.data.seeds import uniform_rows
from mimic.support.errors import MimicError

HEIGHT, WIDTH = 2, 3  # axes of NCHW
DIRECTIONS = ((HEIGHT, 1), (HEIGHT, -1), (WIDTH, 1), (WIDTH, -1))  # up, down, left, right


def translated(images_NCHW: np.ndarray, pixels: int, seed: int) -> np.ndarray:
    """The images moved by `pixels`, each in one of four directions that is drawn for it.

    So a distance costs one pass of a model, and all models of a study meet the same images. What moves in is
    a copy of the border (ours). Raises MimicError unless 1 <= pixels < side.
    """
    side = min(images_NCHW.shape[HEIGHT:])
    if not 1 <= pixels < side:
        raise MimicError(
            f"evaluation.translations: {pixels} must be at least 1 and less than {side} pixels, the side"
        )
    draws_N = uniform_rows(len(images_NCHW), 1, seed, "translation", pixels)[:, 0]
    direction_N = (draws_N * len(DIRECTIONS)).astype(int)
    moved_NCHW = np.empty_like(images_NCHW)
    for number, (axis, sign) in enumerate(DIRECTIONS):
        is_chosen_N = direction_N == number
        moved_NCHW[is_chosen_N] = shifted(images_NCHW[is_chosen_N], axis, sign * pixels)
    return moved_NCHW


def shifted(images_NCHW: np.ndarray, axis: int, offset: int) -> np.ndarray:
    """All images moved along one axis, towards its beginning where `offset` is positive."""
    side = images_NCHW.shape[axis]
    return images_NCHW.take(np.arange(offset, offset + side).clip(0, side - 1), axis=axis)
