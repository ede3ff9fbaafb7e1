"""Augmentation of batches of training images: mirror, scale and jitter, colour (paper, appendix), further."""

import numpy as np
import torch
from torch.nn import functional

from mimic.data.colour import change_hsv
from mimic.data.image_parameters import Augmentation
from mimic.data.seeds import uniform_rows
from mimic.data.spline import WindowResizer

_DRAWS = 9  # uniform numbers an image, in the order in which `Augmenter.__call__` unpacks them
_CHUNK_NUMBERS = {"cpu": 2**18, "cuda": 2**26}  # a chunk of images and its intermediates fit the cache


class Augmenter:
    """Augments batches of uint8 images with random numbers that are given, never drawn here.

    An image's result depends on the image and its own row of draws alone: not on the batch it is in.
    """

    def __init__(self, augmentation: Augmentation, image_size: int, device: torch.device | str = "cpu"):
        self._augmentation = augmentation
        self._image_size = image_size
        self._device = torch.device(device)
        self._resize = WindowResizer(augmentation.window, image_size, self._device)

    def draws(self, count: int, seed: int, *purpose: str | int) -> torch.Tensor:
        """A [count, D] float64 table of uniform draws in [0, 1); row i belongs to image i alone.

        The last word of `purpose` is the epoch.

        Nine columns are the paper's transforms'; any further transform adds its own, from its own stream.
        """
        first = uniform_rows(count, _DRAWS, seed, *purpose)
        if self._augmentation.mirror == "alternate":
            *same, epoch = purpose
            at_first = uniform_rows(count, 1, seed, *same, "mirror")[:, 0] < 0.5
            first[:, 0] = at_first == (epoch % 2 == 1)  # a draw of 0 mirrors, of 1 does not
        tables = [first]
        for transform in self._augmentation.transforms:
            tables.append(uniform_rows(count, transform.draws, seed, *purpose, transform.kind))
        return torch.from_numpy(np.hstack(tables)).to(self._device)

    def __call__(self, images_NCHW: torch.Tensor, draws_ND: torch.Tensor) -> torch.Tensor:
        """Augmented images, float32 NCHW in 0..255, from uint8 RGB images and one row of draws each."""
        images_NCHW, draws_ND = images_NCHW.to(self._device), draws_ND.to(self._device)
        augmented_NCHW = torch.empty(images_NCHW.shape, device=self._device)
        chunk = max(1, _CHUNK_NUMBERS[self._device.type] // (3 * self._image_size**2))
        with torch.autocast(self._device.type, enabled=False):  # a spline in bfloat16 would be visibly coarse
            for out, images, draws in zip(
                augmented_NCHW.split(chunk), images_NCHW.split(chunk), draws_ND.split(chunk), strict=True
            ):
                out.copy_(self._augment(images, draws))
        return augmented_NCHW

    def _augment(self, images_NCHW: torch.Tensor, draws_ND: torch.Tensor) -> torch.Tensor:
        transforms = self._augmentation.transforms
        first_N9, *further = draws_ND.split([_DRAWS, *(transform.draws for transform in transforms)], dim=1)
        mirror, size, x, y, hue, saturation_factor, saturation_shift, value_factor, value_shift = (
            first_N9.unbind(1)
        )
        least, most = self._augmentation.window
        is_drawn = self._augmentation.mirror == "alternate"  # beforehand: 0 or 1
        size = least + _integer(size, most - least + 1)
        offsets = self._image_size - size + 1
        images_NCHW = self._resize(
            images_NCHW.float(),
            size_N=size,
            x_N=_integer(x, offsets),
            y_N=_integer(y, offsets),
            mirror_N=mirror < (0.5 if is_drawn else self._augmentation.mirror),
        ).clamp_(0, 255)  # a spline overshoots
        hsv = self._augmentation.hsv
        images_NCHW = change_hsv(
            images_NCHW,
            hue_shift_N=_shift(hue, hsv.Dh),
            saturation_factor_N=_factor(saturation_factor, hsv.As),
            saturation_shift_N=_shift(saturation_shift, hsv.Ds),
            value_factor_N=_factor(value_factor, hsv.Av),
            value_shift_N=_shift(value_shift, hsv.Dv),
        )
        for transform, draws in zip(transforms, further, strict=True):
            images_NCHW = transform.apply(images_NCHW, draws)
        return images_NCHW


def standardise(images_NCHW: torch.Tensor) -> torch.Tensor:
    """Each image minus its own mean, divided by its own standard deviation, over all channels and pixels.

    Takes uint8 or float images in 0..255, gives float32. A constant image becomes zeros: the variance is
    raised by 1e-5 (ours), which only a nearly constant image feels.
    """
    images_NCHW = images_NCHW.float()
    # Without the subtraction, rounding would leave a constant image slightly off zero.
    return functional.layer_norm(images_NCHW - images_NCHW[:, :1, :1, :1], images_NCHW.shape[1:])


def _integer(uniform: torch.Tensor, bound: int | torch.Tensor) -> torch.Tensor:
    """Integers uniform in 0..bound-1, from draws in [0, 1)."""
    return (uniform * bound).long()


def _shift(uniform: torch.Tensor, extent: float) -> torch.Tensor:
    """Shifts uniform in (-extent, extent), from draws in [0, 1)."""
    return (2 * uniform - 1) * extent


def _factor(uniform: torch.Tensor, extent: float) -> torch.Tensor:
    """Factors uniform in (1 / (1 + extent), 1 + extent), from draws in [0, 1)."""
    least = 1 / (1 + extent)
    return least + (1 + extent - least) * uniform
