"""Translated copies of images."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mimic.evaluation.translation import DIRECTIONS, shifted, translated
from mimic.support.errors import MimicError


def four_ways(images_NCHW, pixels):
    return [shifted(images_NCHW, axis, sign * pixels) for axis, sign in DIRECTIONS]


def test_four_directions_by_hand():
    image_NCHW = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.uint8)[None, None]
    up, down, left, right = (moved_NCHW[0, 0].tolist() for moved_NCHW in four_ways(image_NCHW, 1))
    assert up == [[4, 5, 6], [7, 8, 9], [7, 8, 9]]
    assert down == [[1, 2, 3], [1, 2, 3], [4, 5, 6]]
    assert left == [[2, 3, 3], [5, 6, 6], [8, 9, 9]]
    assert right == [[1, 1, 2], [4, 4, 5], [7, 7, 8]]


@given(arrays(np.uint8, (2, 3, 6, 7)), st.integers(1, 5))
def test_what_stays_in_view_moves_and_what_comes_in_repeats_the_border(images_NCHW, pixels):
    up, down, left, right = four_ways(images_NCHW, pixels)
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


def test_each_image_moves_in_one_direction_the_same_for_every_model_and_all_are_met():
    images_NCHW = np.random.default_rng(1).integers(0, 256, (200, 3, 4, 4), np.uint8)
    moved_NCHW, ways = translated(images_NCHW, 2, seed=1), np.stack(four_ways(images_NCHW, 2))
    direction_WN = (ways == moved_NCHW).all(axis=(2, 3, 4))
    assert (direction_WN.sum(axis=0) == 1).all()
    assert (direction_WN.sum(axis=1) > 30).all()
    np.testing.assert_array_equal(translated(images_NCHW, 2, seed=1), moved_NCHW)
    np.testing.assert_array_equal(translated(images_NCHW[:50], 2, seed=1), moved_NCHW[:50])


def test_the_originals_are_left_alone():
    images_NCHW = np.arange(16, dtype=np.uint8).reshape(1, 1, 4, 4)
    translated(images_NCHW, 1, seed=1)[:] = 0
    np.testing.assert_array_equal(images_NCHW.ravel(), np.arange(16))


@pytest.mark.parametrize("pixels", [-1, 0, 4, 5])
def test_an_impossible_translation_is_refused(pixels):
    with pytest.raises(MimicError, match=f"evaluation.translations: {pixels} .* less than 4 pixels"):
        translated(np.zeros((1, 1, 4, 5), np.uint8), pixels, seed=1)
