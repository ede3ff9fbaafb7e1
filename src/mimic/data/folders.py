"""The user's own images: train/<class>/* and, if there are such images, val/<class>/* and test/<class>/*.

They lie in a folder, a zip or a tar archive. One folder may wrap them. Whatever else lies beside them is left
alone, and named.
"""

import os
import unicodedata
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
FAINT = 8  # grey levels: an image with less between its darkest and brightest value is told (ours)
POOLS = {  # the usual names of their folders, in any case
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}


@dataclass(frozen=True)
class Layout:
    """Which files hold the images of which class."""

    classes: tuple[str, ...]
    files: dict[str, dict[str, int]]  # of each pool that is there: name in the archive -> label, in order
    folders: dict[str, str]  # of each pool: what its folder is called
    ignored: tuple[str, ...]  # folders beside them

    def told(self) -> str:
        """What is read and what isn't, in a line."""
        counts = [f"{len(files)} in {self.folders[pool]}/" for pool, files in self.files.items()]
        lines = [f"images: {', '.join(counts)}, of {len(self.classes)} classes"]
        if self.ignored:
            lines.append(f"ignored: {_listed(self.ignored)}")
        if alike := _alike(self.classes):
            lines.append(f"warning: {' and '.join(map(repr, alike))} look alike, and are two classes")
        return "; ".join(lines)


def read_folders(path: Path, classes: int, image_size: int, progress: Progress = print) -> Source:
    """All images below `path`, sorted by class name and then by file name, as uint8 [N, 3, size, size].

    Any format, mode and size that Pillow reads; see `mimic.data.images`. Raises MimicError naming the file
    if one is damaged or out of place, or if the number of classes differs from `classes`.
    """
    layout = check_folders(path, classes)
    progress(layout.told())
    names = [name for files in layout.files.values() for name in files]
    images_NCHW = _read_images(path, names, image_size, progress)
    pools, at = {}, 0
    for pool, labels_N in pool_labels(layout).items():
        pools[f"{pool}_images_NCHW"] = images_NCHW[at : at + len(labels_N)]
        pools[f"{pool}_labels_N"] = labels_N
        at += len(labels_N)
    return Source(layout.classes, **pools)


def check_folders(path: Path, classes: int) -> Layout:
    """What lies below `path`, by its listing alone. Raises MimicError naming what is out of place."""
    layout = read_layout(path)
    if len(layout.classes) != classes:
        raise MimicError(
            f"{path}: {layout.folders['train']}/ holds {len(layout.classes)} classes "
            f"({_listed(layout.classes)}), but data.classes is {classes}; correct the one that is wrong"
        )
    return layout


def pool_labels(layout: Layout) -> dict[str, np.ndarray]:
    """The labels, int64 [N], of each pool that is there."""
    return {pool: np.array([*files.values()], np.int64) for pool, files in layout.files.items()}


def read_layout(path: Path) -> Layout:
    """Sort the files below `path` into pools and classes. Raises MimicError naming what is out of place."""
    names = {entry.name: entry.is_folder for entry in entries(path)}
    root, folders, ignored = _root(path, names)
    classes = {pool: _class_files(path, names, f"{root}{name}/") for pool, name in folders.items()}
    classes = {pool: of_class for pool, of_class in classes.items() if of_class or pool == "train"}
    for pool in classes:
        for one, other in ((pool, "train"), ("train", pool)):
            if missing := sorted(classes[one].keys() - classes[other].keys()):
                alike = {_folded(name): name for name in classes[other]}
                also = [
                    f"; {alike[_folded(name)]!r} looks like it" for name in missing if _folded(name) in alike
                ]
                raise MimicError(
                    f"{path}: {folders[one]}/ holds classes that {folders[other]}/ lacks "
                    f"({_listed(missing)}); both need the same class folders{''.join(also[:1])}"
                )
    labels = {name: label for label, name in enumerate(sorted(classes["train"]))}
    files = {
        pool: {file: label for name, label in labels.items() for file in sorted(of_class[name])}
        for pool, of_class in classes.items()
    }
    return Layout(tuple(labels), files, {pool: folders[pool] for pool in files}, ignored)


def _root(path: Path, names: dict[str, bool]) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """What stands before the pools' folders, nothing or the one around them; these by pool; the others."""
    pool_of = {name: pool for pool, usual in POOLS.items() for name in usual}
    parts = [name.split("/") + ([""] if is_folder else []) for name, is_folder in names.items()]
    tops = dict.fromkeys(part[0] for part in parts if len(part) > 1)
    root = ""
    if "train" not in map(pool_of.get, map(str.lower, tops)):
        inner = {(part[0], part[1]): None for part in parts if len(part) > 2}
        wrappers = sorted({top for top, name in inner if pool_of.get(name.lower()) == "train"})
        if not wrappers:
            raise MimicError(f"{path}: holds no train/ folder; lay the images out as train/<class>/<file>")
        if len(wrappers) > 1:
            raise MimicError(f"{path}: more than one folder holds a train/ ({_listed(wrappers)}); keep one")
        root, tops = wrappers[0] + "/", [name for top, name in inner if top == wrappers[0]]
    found: dict[str, str] = {}
    for name in sorted(tops):
        if pool := pool_of.get(name.lower()):
            if pool in found:
                raise MimicError(
                    f"{path}: {found[pool]}/ and {name}/ may both hold the {pool} images; keep one"
                )
            found[pool] = name
    folders = {pool: found[pool] for pool in POOLS if pool in found}
    return root, folders, tuple(sorted(f"{name}/" for name in tops if name not in folders.values()))


def _class_files(path: Path, names: dict[str, bool], prefix: str) -> dict[str, list[str]]:
    """The files of each class below `prefix`, by what the class is called."""
    classes: dict[str, list[str]] = {}
    folders: dict[str, str] = {}
    for name, is_folder in names.items():
        if not name.startswith(prefix):
            continue
        parts = name.removeprefix(prefix).split("/")
        if len(parts) == 1 and not is_folder:
            raise MimicError(f"{path}: {name!r} lies in no class folder; move it to {prefix}<class>/")
        if len(parts) > 2 or (len(parts) == 2 and is_folder):
            raise MimicError(f"{path}: {name!r} lies deeper than {prefix}<class>/<file>; move it up")
        # Systems write an accent as one character or two, and nobody sees a space at the end.
        called = unicodedata.normalize("NFC", parts[0]).strip()
        if folders.setdefault(called, parts[0]) != parts[0]:
            raise MimicError(
                f"{path}: the folders {prefix + folders[called]!r} and {prefix + parts[0]!r} are one class "
                "by name; merge or rename them"
            )
        files = classes.setdefault(called, [])
        if not is_folder:
            files.append(name)
    for called, files in classes.items():
        if not files:
            raise MimicError(f"{path}: class folder {prefix + called!r} is empty; add images or remove it")
        if not called.isprintable() or not called:
            raise MimicError(
                f"{path}: class folder {prefix + called!r} has a name that can not be printed; rename it"
            )
    return classes


def _folded(name: str) -> str:
    """What names have in common that look alike: without capitals, ligatures and the like."""
    return unicodedata.normalize("NFKC", name).casefold()


def _alike(classes: tuple[str, ...]) -> tuple[str, ...]:
    """The first of the classes that look alike, or none."""
    seen: dict[str, str] = {}
    for name in classes:
        if (first := seen.setdefault(_folded(name), name)) != name:
            return first, name
    return ()


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
