import colorsys

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mimic.data.colour import change_hsv

images = arrays.arrays(np.uint8, (1, 3, 4, 4))
hues = st.floats(-0.5, 0.5)
factors = st.floats(0.2, 5)
shifts = st.floats(-1, 1)


def changed(images_NCHW: np.ndarray, hue=0.0, saturation=(1.0, 0.0), value=(1.0, 0.0)) -> np.ndarray:
    """`change_hsv` with the same change for each image."""
    numbers = [
        torch.full([len(images_NCHW)], number, dtype=torch.float64) for number in (hue, *saturation, *value)
    ]
    return change_hsv(torch.from_numpy(images_NCHW).float(), *numbers).numpy()


def reference(pixel: np.ndarray, hue: float, saturation: tuple, value: tuple) -> np.ndarray:
    """Python's colorsys on one pixel of 0..255."""
    h, s, v = colorsys.rgb_to_hsv(*(pixel / 255))
    s = np.clip(s * saturation[0] + saturation[1], 0, 1)
    v = np.clip(v * value[0] + value[1], 0, 1)
    return 255 * np.array(colorsys.hsv_to_rgb((h + hue) % 1, s, v))


@given(images, hues, st.tuples(factors, shifts), st.tuples(factors, shifts))
def test_equals_colorsys(images_NCHW, hue, saturation, value):
    expected = np.apply_along_axis(reference, 1, images_NCHW, hue, saturation, value)
    np.testing.assert_allclose(changed(images_NCHW, hue, saturation, value), expected, rtol=0, atol=2e-3)


def test_equals_colorsys_on_the_whole_colour_cube():
    levels = np.arange(0, 256, 17, dtype=np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels)).reshape(1, 3, 64, 64)
    change = (0.04, (1.1, -0.2), (0.9, 0.15))
    expected = np.apply_along_axis(reference, 1, cube, *change)
    np.testing.assert_allclose(changed(cube, *change), expected, rtol=0, atol=1e-3)


def test_a_third_of_a_turn_makes_red_green():
    red = np.array([200, 0, 0], np.uint8).reshape(1, 3, 1, 1)
    np.testing.assert_allclose(changed(red, hue=1 / 3).ravel(), [0, 200, 0], atol=1e-3)


def test_values_are_multiplied_before_they_are_shifted():
    grey = np.full((1, 3, 1, 1), 100, np.uint8)
    np.testing.assert_allclose(changed(grey, value=(2.0, 0.1)).ravel(), 100 * 2 + 255 * 0.1, rtol=1e-6)


@given(images, st.integers(-2, 2))
def test_whole_turns_of_hue_change_nothing(images_NCHW, turns):
    np.testing.assert_allclose(changed(images_NCHW, hue=float(turns)), images_NCHW, rtol=0, atol=1e-3)


@given(images, hues, st.tuples(factors, shifts), st.tuples(factors, shifts))
def test_stays_in_range(images_NCHW, hue, saturation, value):
    result = changed(images_NCHW, hue, saturation, value)
    assert result.min() >= 0 and result.max() <= 255


@given(arrays.arrays(np.uint8, (1, 1, 4, 4)), hues, factors)
def test_grey_stays_grey_when_hue_turns_and_saturation_is_multiplied(grey_N1HW, hue, factor):
    grey = np.repeat(grey_N1HW, 3, axis=1)
    np.testing.assert_array_equal(changed(grey, hue=hue, saturation=(factor, 0.0)), grey)


@given(arrays.arrays(np.uint8, (3, 3, 2, 2)), st.lists(hues, min_size=3, max_size=3))
@settings(max_examples=30)
def test_each_image_has_its_own_change(images_NCHW, hues_N):
    neutral = torch.ones(3), torch.zeros(3), torch.ones(3), torch.zeros(3)
    together = change_hsv(torch.from_numpy(images_NCHW).float(), torch.tensor(hues_N), *neutral)
    alone = np.concatenate(
        [changed(image[None], np.float32(hue)) for image, hue in zip(images_NCHW, hues_N, strict=True)]
    )
    np.testing.assert_array_equal(together.numpy(), alone)
