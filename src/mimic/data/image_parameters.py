"""What is asked of images: where they come from, how they are split, how they are augmented."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mimic.data.transforms import Transform
from mimic.support.frozen import Fraction, Frozen, Positive, elsewhere, option

CHANNELS = 3  # grey images are stored as colour


class Data(Frozen):
    """The images and how they are split."""

    source: Literal["synthetic", "cifar10", "cifar100", "images"] = "synthetic"
    """images: `train/<class>/*` and `test/<class>/*`; synthetic: embedded, for a first look"""
    label: Annotated[str, Field(min_length=1, max_length=60)] = "synthetic"
    """what the report calls it"""
    path: str | None = elsewhere(None)
    """folder, zip or tar (images); folder of the archives (cifar10, cifar100)"""
    download: bool = elsewhere(False)
    """cifar10, cifar100: fetch the archive into `path` if it is not there"""
    classes: Annotated[int, Field(ge=2, le=10_000)] = 10
    image_size: Annotated[int, Field(ge=8, le=256)] = 32
    """pixels a side"""
    train: Positive | None = None
    """images to train on; null: all but the validation images"""
    validation: Positive = 10_000
    """images that select: models, epochs, learning rates"""
    test: Positive | None = None
    """null: the source's whole test set"""

    @model_validator(mode="after")
    def _complete(self) -> "Data":
        source, cifar = self.source, self.source in ("cifar10", "cifar100")
        if source == "synthetic" and None in (self.train, self.test):
            raise ValueError("source synthetic needs numbers for train and test, not null")
        if source == "synthetic" and self.path is not None:
            raise ValueError("source synthetic reads no files: path must be null")
        if source != "synthetic" and self.path is None:
            raise ValueError(f"source {source} needs a path: the folder or archive that holds the images")
        if self.download and not cifar:
            raise ValueError(f"source {source} can not be downloaded: set download to false")
        expected = {"synthetic": 10, "cifar10": 10, "cifar100": 100}.get(source, self.classes)
        if self.classes != expected:
            raise ValueError(f"source {source} has {expected} classes, not {self.classes}")
        if cifar and (self.train or 1) + self.validation > 50_000:
            raise ValueError(f"train and validation together exceed the 50000 images that {source} has")
        if cifar and (self.test or 1) > 10_000:
            raise ValueError(f"test exceeds the 10000 images that {source} has")
        for split in ("train", "validation", "test"):
            if (getattr(self, split) or self.classes) < self.classes:
                raise ValueError(
                    f"{split} must hold at least one image of each of the {self.classes} classes"
                )
        return self


class DataTask(Frozen):
    """Read a source, split it, pack it."""

    seed: int
    data: Data
    content: str | None = None
    """a digest of the source's files; None: the source is a function of its name (and of the seed)"""


class Hsv(Frozen):
    """Colour augmentation (paper, appendix): half-widths of the shifts, and extents of the scalings."""

    Dh: Annotated[float, Field(ge=0, le=0.5)] = 0.06
    """hue shift, turns"""
    Ds: Fraction = 0.26
    """saturation shift"""
    Dv: Fraction = 0.20
    """value shift"""
    As: Annotated[float, Field(ge=0, le=4)] = 0.21
    """saturation factor in (1/(1+As), 1+As)"""
    Av: Annotated[float, Field(ge=0, le=4)] = 0.13
    """value factor in (1/(1+Av), 1+Av)"""


Window = tuple[Annotated[int, Field(ge=2)], Annotated[int, Field(ge=2)]]


class Augmentation(Frozen):
    """Mirror, scale and jitter, colour: one draw for the whole image, fresh for each epoch."""

    mirror: Fraction | Literal["alternate"] = 0.5
    """probability; alternate: every image in every other epoch, half of them at first (Jordan 2024)"""
    window: Window = (24, 32)
    """pixels, least and most"""
    hsv: Hsv = Hsv()
    transforms: tuple[Transform, ...] = option(())
    """further ones, each of a kind of its own, in this order"""

    @model_validator(mode="after")
    def _ordered(self) -> "Augmentation":
        if self.window[0] > self.window[1]:
            raise ValueError("window is [least, most] pixels: the first must not exceed the second")
        kinds = [transform.kind for transform in self.transforms]
        for kind in kinds:
            if kinds.count(kind) > 1:
                raise ValueError(f"transforms: {kind} stands there twice")
        return self
