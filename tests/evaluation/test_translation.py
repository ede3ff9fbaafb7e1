"""Translated copies, and the accuracy on them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mimic.evaluation.translation import shifted, translation_accuracy
from mimic.support.errors import MimicError


def test_four_directions_by_hand():
    image_NCHW = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.uint8)[None, None]
    up, down, left, right = (moved_NCHW[0, 0].tolist() for moved_NCHW in shifted(image_NCHW, 1))
    assert up == [[4, 5, 6], [7, 8, 9], [7, 8, 9]]
    assert down == [[1, 2, 3], [1, 2, 3], [4, 5, 6]]
    assert left == [[2, 3, 3], [5, 6, 6], [8, 9, 9]]
    assert right == [[1, 1, 2], [4, 4, 5], [7, 7, 8]]


@given(arrays(np.uint8, (2, 3, 6, 7)), st.integers(1, 5))
def test_what_stays_in_view_moves_and_what_comes_in_repeats_the_border(images_NCHW, pixels):
    up, down, left, right = shifted(images_NCHW, pixels)
    assert all(
        moved.dtype == np.uint8 and moved.shape == images_NCHW.shape for moved in (up, down, left, right)
    )
    np.testing.assert_array_equal(up[:, :, :-pixels], images_NCHW[:, :, pixels:])
    np.testing.assert_array_equal(down[:, :, pixels:], images_NCHW[:, :, :-pixels])
    np.testing.assert_array_equal(left[..., :-pixels], images_NCHW[..., pixels:])
    np.testing.assert_array_equal(right[..., pixels:], images_NCHW[..., :-pixels])
    assert (up[:, :, -pixels:] == images_NCHW[:, :, -1:]).all()
    assert (down[:, :, :pixels] == images_NCHW[:, :, :1]).all()
    assert (left[..., -pixels:] == images_NCHW[..., -1:]).all()
    assert (right[..., :pixels] == images_NCHW[..., :1]).all()


def test_the_originals_are_left_alone():
    images_NCHW = np.arange(16, dtype=np.uint8).reshape(1, 1, 4, 4)
    for moved_NCHW in shifted(images_NCHW, 1):
        moved_NCHW[:] = 0
    np.testing.assert_array_equal(images_NCHW.ravel(), np.arange(16))


@pytest.mark.parametrize("pixels", [-1, 0, 4, 5])
def test_an_impossible_translation_is_refused(pixels):
    with pytest.raises(MimicError, match=f"evaluation.translations: {pixels} .* less than 4 pixels"):
        next(shifted(np.zeros((1, 1, 4, 5), np.uint8), pixels))


def test_translation_accuracy_is_the_mean_over_the_directions():
    # The class is the column of the single bright pixel of a 4 x 4 image, at row 1, column 1 or 2. Moved up
    # or down by one, both images keep their column; moved left or right, neither does.
    images_NCHW = np.zeros((2, 1, 4, 4), np.uint8)
    images_NCHW[0, 0, 1, 1] = images_NCHW[1, 0, 1, 2] = 255

    def column_NK(images_NCHW):
        return images_NCHW.sum(axis=(1, 2)).astype(np.float32)

    assert translation_accuracy(column_NK, images_NCHW, np.array([1, 2]), pixels=1) == 0.5
    assert translation_accuracy(column_NK, images_NCHW, np.array([1, 0]), pixels=1) == 0.25
