"""Cubic spline interpolation as matrices: resizing an image is linear, and separable into rows and columns.

The interpolation is that of `scipy.ndimage.zoom(window, to / size, order=3)` with scipy's defaults: the
outermost pixels of source and target coincide, and the spline is mirrored at them. (scipy's default mode
"constant" uses the mirrored spline too: it differs only where rounding puts scipy's last sample outside.)
"""

import numpy as np
import torch
from torch.nn import functional

ALIGNED = 16  # pixels: lines that start elsewhere in memory are summed in another order on some processors


def _cubic_b_spline(distance: np.ndarray) -> np.ndarray:
    distance = np.abs(distance)
    return np.where(distance < 1, 2 / 3 - distance**2 + distance**3 / 2, np.maximum(2 - distance, 0) ** 3 / 6)


def _b_spline_weights(positions: np.ndarray, size: int) -> np.ndarray:
    """[positions, size]: the share of each of `size` spline coefficients in the values at `positions`."""
    weights = _cubic_b_spline(positions[:, None] - np.arange(-1, size + 1))
    weights[:, 2] += weights[:, 0]  # the coefficient one before the first mirrors the second,
    weights[:, -3] += weights[:, -1]  # and the one past the last mirrors the last but one
    return weights[:, 1:-1]


def resizing_matrix(size: int, to: int) -> np.ndarray:
    """The [to, size] float64 matrix that resizes a line of `size` >= 2 pixels to `to` pixels."""
    coefficients = np.linalg.inv(_b_spline_weights(np.arange(size), size))  # of the spline through the pixels
    return _b_spline_weights(np.linspace(0, size - 1, to), size) @ coefficients


class WindowResizer:
    """Cuts a window out of each image and brings it back to full size, each with two matrix products.

    One table holds, for each window size, what each pixel of a window contributes to each pixel of the
    resized line. A window's matrix is a choice of the table's rows: its offset and mirroring only move them.
    """

    def __init__(self, window: tuple[int, int], image_size: int, device: torch.device | str = "cpu"):
        self._least, self._size = window[0], image_size
        side = -(-image_size // ALIGNED) * ALIGNED
        self._pixels = torch.arange(side, device=device)
        sizes = range(window[0], window[1] + 1)
        table = np.zeros((len(sizes), 2 * image_size, side), dtype=np.float32)
        for rows, size in zip(table, sizes, strict=True):
            rows[:size, :image_size] = resizing_matrix(size, image_size).T
        self._table = torch.from_numpy(table).to(device)

    def __call__(
        self,
        images_NCHW: torch.Tensor,
        size_N: torch.Tensor,
        x_N: torch.Tensor,
        y_N: torch.Tensor,
        mirror_N: torch.Tensor,
    ) -> torch.Tensor:
        """Mirror left-right where `mirror_N`, cut [y:y+size, x:x+size], bring back to full size.

        Images are float32 NCHW, square; `size_N`, `x_N`, `y_N` int64; `mirror_N` bool.
        """
        size, side = self._size, len(self._pixels)
        images_NCHW = functional.pad(images_NCHW, (0, side - size, 0, side - size))
        mirrored = torch.where(mirror_N[:, None], size - 1 - self._pixels, self._pixels)
        rows_NHh = self._matrices(size_N, self._pixels - y_N[:, None])
        columns_NWw = self._matrices(size_N, mirrored - x_N[:, None])
        # Channel by channel: one product over N x C matrices would copy each image's matrices C times.
        planes = (rows_NHh.mT @ plane_NHW @ columns_NWw for plane_NHW in images_NCHW.unbind(1))
        return torch.stack(tuple(planes), dim=1)[:, :, :size, :size]

    def _matrices(self, size_N: torch.Tensor, position_NP: torch.Tensor) -> torch.Tensor:
        """[N, side, side]: the contribution of each pixel, given its position in the window.

        A position outside the window, from -image_size (indexed from the end) up, finds a row of zeros.
        """
        return self._table[size_N[:, None] - self._least, position_NP]
