"""What an epoch of training consists of: batches of images and targets, in an order fixed beforehand."""

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from mimic.data import seeds
from mimic.data.augment import Augmenter
from mimic.training.predict import prepared

SOME = 5000  # images that tell how images vary
Purpose = tuple[str | int, ...]  # of random draws, see data/seeds.py


class Stream(Protocol):
    """Batches by epoch (counted from 0), the same whenever and from wherever they are asked for."""

    device: torch.device
    steps_per_epoch: int

    def batches(self, epoch: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """(images_NCHW float32, standardised, channels_last; targets) of the steps from `first` on."""


class AugmentedStream:
    """Freshly augmented images, shuffled anew each epoch, with hard labels or an epoch's own targets."""

    def __init__(
        self,
        images_NCHW: np.ndarray | Tensor,
        targets: Tensor | Callable[[int], Tensor],
        augmenter: Augmenter,
        *,
        batch_size: int,
        seed: int,
        augmentation: Purpose,
        order: Purpose,
        device: torch.device,
        cycle: int | None = None,
    ) -> None:
        """Keep the images (uint8) on `device`; an array on the processor is shared, not copied.

        `targets` are labels [N], or a function that gives the targets [N, …] of an augmented epoch by
        image. `augmentation` and `order` name the draws of `seed` that augment and shuffle; epoch e
        draws from (*augmentation, e) and (*order, e). With a `cycle`, augmented epochs repeat after so
        many, and with them their targets; the order is new all the same (ours).
        """
        self.device = device
        self.steps_per_epoch = _steps(len(images_NCHW), batch_size)
        self._count = len(images_NCHW)
        self._images_NCHW = torch.as_tensor(images_NCHW).to(device)
        self._targets = targets
        self._augmenter = augmenter
        self._batch_size = batch_size
        self._seed = seed
        self._augmentation = augmentation
        self._order = order
        self._cycle = cycle

    def some_images(self) -> Tensor:
        """The first of the images as a net takes them, un-augmented, on the processor."""
        return prepared(self._images_NCHW[:SOME].cpu(), torch.device("cpu"))

    def targets(self, augmented_epoch: int) -> Tensor:
        """The targets of an augmented epoch, by image."""
        return self._targets(augmented_epoch) if callable(self._targets) else self._targets

    def batches(self, epoch: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        augmented_epoch = epoch % self._cycle if self._cycle else epoch
        draws_ND = self._augmenter.draws(self._count, self._seed, *self._augmentation, augmented_epoch)
        targets = self.targets(augmented_epoch).to(self.device)
        order = seeds.stream(self._seed, *self._order, epoch).permutation(self._count)
        order = torch.from_numpy(order).to(self.device)
        for rows in order.split(self._batch_size)[first : self.steps_per_epoch]:
            images_NCHW = self._augmenter(self._images_NCHW[rows], draws_ND[rows])
            yield prepared(images_NCHW, self.device), targets[rows]


def _steps(images: int, batch_size: int) -> int:
    """Batches an epoch. The last may be smaller, but not one image alone: batch statistics need two."""
    steps, rest = divmod(images, batch_size)
    return steps + (1 if rest > 1 or steps == 0 else 0)
