"""The transfer set: augmented epochs of the training images with the ensemble's logits on them.

The images are a function of a few things (their `identity`), so only the logits are stored, in shards
of some epochs each. Whoever trains on them makes the images again, and two checks see to it that these
are the images the logits belong to: the identity must be equal, item by item, and the first images of
an epoch must look like the thumbnails kept with its logits, since floating-point augmentation may
differ by a rounding error between machines, but by no more.

Epochs count from 0. A shard holds the tensors logits_ENK and thumbnails_EMCHW.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch.nn.functional import avg_pool2d

from mimic.data.image_parameters import Augmentation
from mimic.support.errors import MimicError
from mimic.support.frozen import asked
from mimic.support.publish import atomic_path

PURPOSE = ("transfer",)  # of random draws: every student sees the same images in the same order
FINGERPRINT_IMAGES = 64  # images of each epoch that leave a thumbnail
FINGERPRINT_BLOCK = 4  # pixels, a side of the blocks that a thumbnail averages
FINGERPRINT_TOLERANCE = 0.5  # grey levels: float16 rounds by 0.06, another draw changes far more


def image_identity(digest: str, augmentation: Augmentation, seed: int, image_size: int) -> dict[str, object]:
    """All that the augmented images are a function of, besides the epoch; `digest` is the data's."""
    return {
        "data": digest,
        "split": "train",
        "image_size": image_size,
        "augmentation": asked(augmentation),
        "seed": seed,
    }


def fingerprint(images_NCHW: torch.Tensor) -> torch.Tensor:
    """Thumbnails [M, C, H/4, W/4] float16 of the first 64 images (or all, if fewer), in grey levels.

    `images_NCHW` are one epoch's augmented images 0, 1, …, float in 0..255.
    """
    thumbnails_MCHW = avg_pool2d(images_NCHW[:FINGERPRINT_IMAGES].float(), FINGERPRINT_BLOCK)
    return thumbnails_MCHW.to("cpu", torch.float16)


def check_fingerprint(stored_MCHW: torch.Tensor, images_NCHW: torch.Tensor, origin: str) -> None:
    """Raise MimicError, naming `origin`, unless the images look like the thumbnails stored."""
    found_MCHW = fingerprint(images_NCHW)
    alike = found_MCHW.shape == stored_MCHW.shape
    difference = (found_MCHW.float() - stored_MCHW.float()).abs().max().item() if alike else inf
    if not difference <= FINGERPRINT_TOLERANCE:  # so put, NaN is refused as well
        raise MimicError(
            f"{origin}: the logits belong to other images; thumbnails differ by {difference:.2f} grey levels "
            f"(rounding explains {FINGERPRINT_TOLERANCE}); compute the logits again with this version"
        )


def write_shard(
    path: Path,
    logits_ENK: torch.Tensor,
    epochs: range,
    identity: Mapping[str, object],
    thumbnails_EMCHW: torch.Tensor,
    dtype: Literal["float16", "float32"] = "float16",
) -> None:
    """Publish the logits of some epochs, stored as float16 or float32.

    `logits_ENK` are float32 (or float16) in the order of the training split; `thumbnails_EMCHW` is the
    `fingerprint` of each epoch. Raises MimicError for logits that are not finite or beyond `dtype`.
    """
    if not logits_ENK.isfinite().all():
        raise MimicError(
            f"{path}: the ensemble's logits are not finite; take the teacher at fault out of the study"
        )
    stored = {"float16": torch.float16, "float32": torch.float32}[dtype]
    largest = torch.finfo(stored).max
    if logits_ENK.abs().max() > largest:
        raise MimicError(
            f"{path}: a logit exceeds {largest:.0f}, the {dtype} maximum; set transfer.dtype to float32"
        )
    tensors = {
        "logits_ENK": logits_ENK.to(stored).contiguous(),
        "thumbnails_EMCHW": thumbnails_EMCHW.to(torch.float16).contiguous(),
    }
    # One entry: safetensors writes several in random order, and equal shards must be equal files.
    metadata = {"shard": json.dumps({"epochs": [epochs.start, epochs.stop], "identity": identity})}
    with atomic_path(path) as aside:
        save_file(tensors, aside, metadata=metadata)


@dataclass(frozen=True)
class Shard:
    """One file of the transfer set, left on disk."""

    path: Path
    epochs: range
    images: int
    classes: int

    def logits_NK(self, epoch: int) -> torch.Tensor:
        """The targets of one epoch, float32. Raises MimicError when one is not finite."""
        # A copy: what safetensors returns is the file itself, mapped into memory.
        logits_NK = self.read("logits_ENK", epoch).to(torch.float32, copy=True)
        if not logits_NK.isfinite().all():
            raise MimicError(
                f"{self.path}: logits of epoch {epoch} are not finite; restore the file or compute it again"
            )
        return logits_NK

    def read(self, tensor: str, epoch: int) -> torch.Tensor:
        with safe_open(self.path, framework="pt") as file:
            return file.get_slice(tensor)[self.epochs.index(epoch)]


def read_shard(path: Path, identity: Mapping[str, object]) -> Shard:
    """Open a shard whose images are those of `identity`.

    Raises MimicError when the file is missing, damaged or no shard, or when its identity differs.
    """
    try:
        with safe_open(path, framework="pt") as file:
            shard = json.loads((file.metadata() or {})["shard"])
            epochs, stored = range(*shard["epochs"]), _flat(shard["identity"])
            held, images, classes = file.get_slice("logits_ENK").get_shape()
            thumbnails = file.get_slice("thumbnails_EMCHW").get_shape()[0]
    except FileNotFoundError:
        raise MimicError(f"{path}: no such file; compute the transfer set's logits first") from None
    except (SafetensorError, OSError) as error:
        raise MimicError(f"{path}: damaged ({error}); restore the file or compute it again") from None
    except (KeyError, TypeError, ValueError):
        raise MimicError(f"{path}: not a shard of a transfer set; compute it again") from None
    if not held == thumbnails == len(epochs):
        raise MimicError(
            f"{path}: holds logits of {held} epochs where it promises {len(epochs)}; compute it again"
        )
    expected = _flat(json.loads(json.dumps(identity)))
    for item in sorted(stored.keys() | expected.keys()):
        if stored.get(item) != expected.get(item):
            raise MimicError(
                f"{path}: belongs to other images: {item} is {stored.get(item)} there "
                f"and {expected.get(item)} here; compute the logits again"
            )
    return Shard(path, epochs, images, classes)


def _flat(value: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Nested keys as `augmentation.hsv.Dh`."""
    flat: dict[str, object] = {}
    for key, item in value.items():
        flat |= _flat(item, f"{prefix}{key}.") if isinstance(item, dict) else {f"{prefix}{key}": item}
    return flat


class TransferTargets:
    """The ensemble's logits on every augmented epoch, one epoch at a time in memory."""

    def __init__(
        self, paths: Iterable[Path], identity: Mapping[str, object], images: int, epochs: int
    ) -> None:
        """Open the shards at `paths`, in any order; together they must hold `epochs` epochs of `images`.

        Raises MimicError when a shard is missing, damaged, of other images or of another shape, and
        when an epoch is missing or held twice.
        """
        shards = sorted((read_shard(path, identity) for path in paths), key=lambda shard: shard.epochs.start)
        for shard in shards:
            if (shard.images, shard.classes) != (images, shards[0].classes):
                raise MimicError(
                    f"{shard.path}: holds logits of {shard.images} images and {shard.classes} classes, "
                    f"not of the {images} to train on and {shards[0].classes}; compute it again"
                )
        self._shards = {epoch: shard for shard in shards for epoch in shard.epochs}
        if [epoch for shard in shards for epoch in shard.epochs] != list(range(epochs)):
            held = ", ".join(f"{shard.epochs.start} to {shard.epochs.stop - 1}" for shard in shards)
            raise MimicError(
                f"transfer set: the shards hold epochs {held or 'of nothing'}, where 0 to {epochs - 1} are "
                "needed, each once; compute the logits again"
            )

    @property
    def first_epochs(self) -> list[int]:
        """The first epoch of each shard."""
        return [epoch for epoch, shard in self._shards.items() if epoch == shard.epochs.start]

    def targets(self, epoch: int) -> torch.Tensor:
        """Logits [N, K] float32 of the augmented images of `epoch`, by index in the training split."""
        return self._shards[epoch].logits_NK(epoch)

    def check_images(self, epoch: int, images_NCHW: torch.Tensor) -> None:
        """Raise MimicError unless the first augmented images of `epoch` are those the logits belong to.

        `images_NCHW` are images 0, 1, … of the training split, at least 64 of them or all.
        """
        shard = self._shards[epoch]
        check_fingerprint(shard.read("thumbnails_EMCHW", epoch), images_NCHW, f"{shard.path}, epoch {epoch}")
