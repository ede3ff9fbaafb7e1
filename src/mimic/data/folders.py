"""The user's own images: train/<class>/* and, if there are test images, test/<class>/*.

They lie in a folder, a zip or a tar archive. One folder may wrap the two. Whatever else lies beside them
is left alone.
"""

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from mimic.data.archives import entries
from mimic.data.images import Deep, decode, image_formats
from mimic.data.labelled import Progress, Source
from mimic.support import messages
from mimic.support.errors import MimicError

THREADS = min(4, os.cpu_count() or 1)  # more get in each other's way where images are small
BATCH = 16  # files that a thread takes at a time
REPORT_EVERY = 10_000  # images
FAINT = (
    8  # grey levels between the darkest and the brightest value of an image that is nearly constant (ours)
)


@dataclass(frozen=True)
class Layout:
    """Which files hold the images of which class."""

    classes: tuple[str, ...]
    files: dict[str, dict[str, int]]  # of train, and of test if there: name in the archive -> label, in order


def read_folders(path: Path, classes: int, image_size: int, progress: Progress = print) -> Source:
    """All images below `path`, sorted by class name and then by file name, as uint8 [N, 3, size, size].

    Any format, mode and size that Pillow reads; see `mimic.data.images`. Raises MimicError naming the file
    if one is damaged or out of place, or if the number of classes differs from `classes`.
    """
    layout = read_layout(path)
    if len(layout.classes) != classes:
        raise MimicError(
            f"{path}: train/ holds {len(layout.classes)} classes ({_listed(layout.classes)}), "
            f"but data.classes is {classes}; correct the one that is wrong"
        )
    names = [name for files in layout.files.values() for name in files]
    images_NCHW = _read_images(path, names, image_size, progress)
    labels_N = np.array([label for files in layout.files.values() for label in files.values()], np.int64)
    if "test" not in layout.files:
        return Source(layout.classes, images_NCHW, labels_N)
    at = len(layout.files["train"])
    return Source(layout.classes, images_NCHW[:at], labels_N[:at], images_NCHW[at:], labels_N[at:])


def check_folders(path: Path) -> None:
    """Raise MimicError unless `path` is a folder or archive with a train/ folder. Looks no further."""
    if not any("train" in entry.name.split("/")[:2] for entry in entries(path)):
        raise _no_train(path)


def read_layout(path: Path) -> Layout:
    """Sort the files below `path` into splits and classes. Raises MimicError naming what is out of place."""
    names = {entry.name: entry.is_folder for entry in entries(path)}
    root = _root(path, names)
    classes = {pool: _class_files(path, names, f"{root}{pool}/") for pool in ("train", "test")}
    for one, other in (("test", "train"), ("train", "test")) if classes["test"] else ():
        if missing := sorted(classes[one].keys() - classes[other].keys()):
            raise MimicError(
                f"{path}: {one}/ holds classes that {other}/ lacks ({_listed(missing)}); "
                "both need the same class folders"
            )
    labels = {name: label for label, name in enumerate(sorted(classes["train"]))}
    files = {
        pool: {file: label for name, label in labels.items() for file in sorted(of_class[name])}
        for pool, of_class in classes.items()
        if of_class
    }
    return Layout(tuple(labels), files)


def _root(path: Path, names: dict[str, bool]) -> str:
    """What stands before train/: nothing, or the one folder that wraps it."""
    parts = [name.split("/", 2) for name in names]
    if any(part[0] == "train" for part in parts):
        return ""
    wrappers = sorted({part[0] for part in parts if part[1:2] == ["train"]})
    if not wrappers:
        raise _no_train(path)
    if len(wrappers) > 1:
        raise MimicError(f"{path}: more than one folder holds a train/ ({_listed(wrappers)}); keep one")
    return wrappers[0] + "/"


def _no_train(path: Path) -> MimicError:
    return MimicError(f"{path}: holds no train/ folder; lay the images out as train/<class>/<file>")


def _class_files(path: Path, names: dict[str, bool], prefix: str) -> dict[str, list[str]]:
    """The files of each class folder below `prefix`."""
    classes: dict[str, list[str]] = {}
    for name, is_folder in names.items():
        if not name.startswith(prefix):
            continue
        parts = name.removeprefix(prefix).split("/")
        if len(parts) == 1 and not is_folder:
            raise MimicError(f"{path}: {name!r} lies in no class folder; move it to {prefix}<class>/")
        if len(parts) > 2 or (len(parts) == 2 and is_folder):
            raise MimicError(f"{path}: {name!r} lies deeper than {prefix}<class>/<file>; move it up")
        files = classes.setdefault(parts[0], [])
        if not is_folder:
            files.append(name)
    for name, files in classes.items():
        if not files:
            raise MimicError(f"{path}: class folder {prefix + name!r} is empty; add images or remove it")
        if not name.isprintable():
            raise MimicError(
                f"{path}: class folder {prefix + name!r} has a name that can not be printed; rename it"
            )
    return classes


def _listed(names: list[str] | tuple[str, ...], most: int = 10) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _read_images(path: Path, names: list[str], image_size: int, progress: Progress) -> np.ndarray:
    """The images called `names`, in that order, decoded by several threads: Pillow releases the lock."""
    position = {name: index for index, name in enumerate(names)}
    images_NCHW = np.empty((len(names), 3, image_size, image_size), dtype=np.uint8)
    damaged: dict[str, str] = {}
    deep: dict[int, Deep] = {}

    def decode_all(batch: list[tuple[str, bytes]]) -> None:
        for name, content in batch:
            try:
                image = decode(content, image_size, formats)
            except ValueError as error:
                damaged[name] = str(error)
            else:
                if isinstance(image, Deep):
                    deep[position[name]] = image
                else:
                    images_NCHW[position[name]] = image

    with image_formats() as formats, ThreadPoolExecutor(THREADS) as pool:
        files, pending, done = _contents(path, set(names), damaged), deque[Future[None]](), 0
        while batch := list(islice(files, BATCH)):
            pending.append(pool.submit(decode_all, batch))
            if len(pending) > 2 * THREADS:  # bounds the memory
                pending.popleft().result()
            done += len(batch)
            if done // REPORT_EVERY > (done - len(batch)) // REPORT_EVERY:
                progress(messages.images_read(done, len(names)))
        for future in pending:
            future.result()
    if damaged:
        first = min(damaged)
        others = f", and {len(damaged) - 1} more files are at fault" if len(damaged) > 1 else ""
        raise MimicError(f"{path}: {first!r} {damaged[first]}{others}; repair or remove what is at fault")
    if deep:  # by the range of the whole set: a camera may use 10 or 12 of 16 bits
        least, most = min(i.least for i in deep.values()), max(i.most for i in deep.values())
        progress(messages.scaled(len(deep), least, most))
        for index, image in deep.items():
            images_NCHW[index] = image.scaled(least, most)
    _check_contrast(path, names, images_NCHW, progress)
    return images_NCHW


def _check_contrast(path: Path, names: list[str], images_NCHW: np.ndarray, progress: Progress) -> None:
    """Name images of hardly more than one grey level. Raises MimicError if there is nothing to tell apart."""
    contrast_N = np.ptp(images_NCHW.reshape(len(images_NCHW), -1), axis=1)
    if not contrast_N.any() or not np.ptp(images_NCHW, axis=0).any():
        what = "each image is of one grey level" if not contrast_N.any() else "all images are the same"
        raise MimicError(f"{path}: {what}, so there is nothing to learn; look at how they were saved")
    faint = np.flatnonzero(contrast_N < FAINT)
    if len(faint):
        progress(messages.faint(len(faint), len(names), names[faint[0]]))


def _contents(path: Path, wanted: set[str], damaged: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each wanted file; one that can not be read is noted in `damaged` instead."""
    for entry in entries(path):
        if entry.name in wanted:
            wanted.remove(entry.name)
            try:
                yield entry.name, entry.read()
            except OSError as error:
                damaged[entry.name] = f"can not be read ({error.strerror or error})"
    damaged |= dict.fromkeys(wanted, "vanished while the images were read")
