import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import zoom

from mimic.data.spline import WindowResizer, resizing_matrix

SIZE = 32
WINDOWS = [(size, offset) for size in range(24, SIZE + 1) for offset in range(SIZE - size + 1)]


def reference(image_CHW: np.ndarray, size: int, x: int, y: int, mirror: bool) -> np.ndarray:
    """scipy's default cubic zoom, channel by channel."""
    if mirror:
        image_CHW = image_CHW[:, :, ::-1]
    window = image_CHW[:, y : y + size, x : x + size]
    return np.stack([zoom(channel, SIZE / size, order=3) for channel in window])


@pytest.mark.parametrize("mirror", [False, True])
def test_every_window_equals_scipy(mirror):
    images = np.random.default_rng(0).random((len(WINDOWS), 3, SIZE, SIZE))
    size, x = torch.tensor(WINDOWS).unbind(1)
    y = (SIZE - size) - x // 2  # another offset than x, so that rows and columns can not be confused
    resized = WindowResizer((24, SIZE), SIZE)(
        torch.from_numpy(images).float(), size, x, y, torch.full_like(size, mirror, dtype=torch.bool)
    )
    expected = [
        reference(image, *window, mirror)
        for image, *window in zip(images, size.tolist(), x.tolist(), y.tolist(), strict=True)
    ]
    np.testing.assert_allclose(resized.numpy(), expected, rtol=0, atol=1e-5)


@given(size=st.integers(2, 40), to=st.integers(2, 40))
def test_a_resized_line_equals_scipy(size, to):
    line = np.sin(np.arange(size) ** 2)
    # "mirror" is scipy's default spline without the rounding that can put its last sample outside
    expected = zoom(line, to / size, order=3, mode="mirror")
    np.testing.assert_allclose(resizing_matrix(size, to) @ line, expected, rtol=0, atol=1e-12)


@given(size=st.integers(2, 64), to=st.integers(2, 64))
def test_a_constant_line_stays_constant(size, to):
    np.testing.assert_allclose(resizing_matrix(size, to).sum(1), 1, rtol=0, atol=1e-12)


@given(size=st.integers(2, 64))
def test_resizing_to_the_same_size_changes_nothing(size):
    np.testing.assert_allclose(resizing_matrix(size, size), np.eye(size), rtol=0, atol=1e-12)


def test_the_middle_of_three_pixels_by_hand():
    # The B-spline coefficients (a, b, a) of (0, 1, 0): 4a + 2b = 0 and 2a + 4b = 6, so a = -1 and b = 2.
    # Half-way between two pixels the spline is (b + 23a + 23b + a) / 48 = 1/2.
    line = resizing_matrix(3, 5) @ [0.0, 1.0, 0.0]
    np.testing.assert_allclose(line, [0, 0.5, 1, 0.5, 0], atol=1e-12)
