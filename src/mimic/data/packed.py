"""The packed image set: one safetensors file a split, and data.json that describes them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from mimic.support.errors import MimicError
from mimic.support.frozen import Frozen, Positive
from mimic.support.publish import atomic_path, write_json

SPLITS = ("train", "validation", "test")
TENSORS = ("images_NCHW", "labels_N")
DESCRIPTION = "data.json"
Splits = dict[str, tuple[np.ndarray, np.ndarray]]  # name -> images_NCHW, labels_N


class DataDescription(Frozen):
    """The content of data.json."""

    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]  # sha256 of what the images and labels are
    source: str
    classes: Annotated[tuple[str, ...], Field(min_length=1)]  # the name of label k is classes[k]
    image_size: Positive  # pixels a side
    counts: Annotated[dict[Literal[SPLITS], Positive], Field(min_length=len(SPLITS))]  # images of each split


@dataclass(frozen=True)
class Split:
    """The images of one split, in the order that every file of logits follows."""

    images_NCHW: np.ndarray  # uint8
    labels_N: np.ndarray  # int64


def write_packed(folder: Path, splits: Splits, classes: tuple[str, ...], source: str) -> None:
    """Write train, validation and test (uint8 [N, 3, S, S] and int64 [N]) and data.json into `folder`.

    Each file appears whole, data.json last.
    """
    description = DataDescription(
        digest=digest(splits, classes),
        source=source,
        classes=tuple(classes),
        image_size=splits["train"][0].shape[-1],
        counts={name: len(splits[name][1]) for name in SPLITS},
    )
    for name in SPLITS:
        tensors = dict(zip(TENSORS, map(np.ascontiguousarray, splits[name]), strict=True))
        with atomic_path(folder / f"{name}.safetensors") as aside:
            save_file(tensors, aside)
    write_json(folder / DESCRIPTION, description.model_dump(mode="json"))


def digest(splits: Splits, classes: tuple[str, ...]) -> str:
    """sha256 of class names, split membership, labels and pixels, whatever format they are stored in."""
    state = hashlib.sha256()

    def add(part: bytes | memoryview) -> None:
        state.update(len(part).to_bytes(8, "little"))  # so that no two contents share their bytes
        state.update(part)

    for name in classes:
        add(name.encode())
    for split in SPLITS:
        images_NCHW, labels_N = splits[split]
        add(split.encode())
        add(repr(images_NCHW.shape).encode())
        add(np.ascontiguousarray(labels_N, dtype="<i8").tobytes())
        add(np.ascontiguousarray(images_NCHW, dtype=np.uint8).reshape(-1).data)
    return state.hexdigest()


def read_description(folder: Path) -> DataDescription:
    """data.json of `folder`. Raises MimicError naming the file if it is missing or malformed."""
    path = folder / DESCRIPTION
    try:
        return DataDescription.model_validate_json(path.read_bytes())
    except OSError as error:
        raise MimicError(f"{path}: can not be read ({error.strerror}); run the dataset step") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "content"
        raise MimicError(f"{path}: {place}: {first['msg']}; run the dataset step again") from None


def open_split(folder: Path, split: str) -> Split:
    """The images of `train`, `validation` or `test`.

    Raises MimicError naming the file if it is missing, damaged or at odds with data.json.
    """
    description, path = read_description(folder), folder / f"{split}.safetensors"
    count, size, classes = description.counts[split], description.image_size, len(description.classes)
    expected = {"images_NCHW": f"uint8 {[count, 3, size, size]}", "labels_N": f"int64 {[count]}"}
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise MimicError(f"{path}: is missing or damaged ({error}); run the dataset step again") from None
    found = {name: f"{tensor.dtype} {list(tensor.shape)}" for name, tensor in sorted(tensors.items())}
    if found != expected:
        raise MimicError(
            f"{path}: holds {_told(found)}, but {DESCRIPTION} tells of {_told(expected)}; "
            "run the dataset step again"
        )
    least, most = tensors["labels_N"].min(), tensors["labels_N"].max()
    if least < 0 or most >= classes:
        raise MimicError(
            f"{path}: labels_N reaches from {least} to {most}, but {DESCRIPTION} names {classes} classes; "
            "run the dataset step again"
        )
    return Split(**tensors)


def _told(tensors: dict[str, str]) -> str:
    return ", ".join(f"{name} ({what})" for name, what in tensors.items()) or "nothing"
