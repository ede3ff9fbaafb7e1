"""Cutout (DeVries and Taylor 2017)."""

from typing import ClassVar, Literal

from mimic.support.frozen import Frozen, Positive

GREY = 127.5  # of the square (ours: theirs is the mean of normalised images, which is near)


class Cutout(Frozen):
    """Cutout. A grey square covers a part of the image; its centre is any pixel, so it may be cropped."""

    kind: Literal["cutout"] = "cutout"
    size: Positive = 16
    """pixels, the side of the square"""
    draws: ClassVar[int] = 2

    def apply(self, images_NCHW, draws_N2):
        """Images with a square of grey, each its own."""
        from torch import arange

        height, width = images_NCHW.shape[2:]
        y_N, x_N = (draws_N2 * draws_N2.new_tensor([height, width])).long().unbind(1)
        rows_NH, columns_NW = (
            self._covers(arange(extent, device=images_NCHW.device), centre_N)
            for extent, centre_N in ((height, y_N), (width, x_N))
        )
        square_N1HW = rows_NH[:, None, :, None] & columns_NW[:, None, None, :]
        return images_NCHW.masked_fill(square_N1HW, GREY)

    def _covers(self, pixels, centre_N):
        """Which pixels of a row, or of a column, the square takes, by image."""
        first_N1 = centre_N[:, None] - self.size // 2
        return (pixels >= first_N1) & (pixels < first_N1 + self.size)
