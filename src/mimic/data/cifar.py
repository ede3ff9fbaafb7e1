"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009), from the files that their author publishes.

The binary version is read as the plain bytes that it is. The Python version, for those who have only
that one, is made of pickles: it goes through torchvision, and only after the checksum of every file was
compared with the published one, since to unpickle a forged file would be to run it.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

import numpy as np

from mimic.data.archives import entries
from mimic.data.labelled import Progress, Source, silent
from mimic.support import messages
from mimic.support.errors import MimicError
from mimic.support.publish import atomic_path

URL = "https://www.cs.toronto.edu/~kriz"  # MIMIC_CIFAR_URL names a mirror
TIMEOUT = 60  # seconds without a byte
BLOCK = 2**20
SIDE = 32  # pixels
PIXELS = 3 * SIDE * SIDE


@dataclass(frozen=True)
class Version:
    """What is published of one data set."""

    archive: str
    md5: str
    folder: str  # in the archive
    train: tuple[str, ...]
    test: tuple[str, ...]
    names: str  # file with one class name a line
    label_bytes: int  # before each image; the last one is the label
    classes: int
    counts: tuple[int, int]  # images of train and test
    python_archive: str
    python_folder: str
    torchvision: str  # its reader of the Python version


VERSIONS = {
    "cifar10": Version(
        archive="cifar-10-binary.tar.gz",
        md5="c32a1d4ab5d03f1284b67883e8d87530",
        folder="cifar-10-batches-bin",
        train=tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
        test=("test_batch.bin",),
        names="batches.meta.txt",
        label_bytes=1,
        classes=10,
        counts=(50_000, 10_000),
        python_archive="cifar-10-python.tar.gz",
        python_folder="cifar-10-batches-py",
        torchvision="CIFAR10",
    ),
    "cifar100": Version(
        archive="cifar-100-binary.tar.gz",
        md5="03b5dce01913d631647c71ecec9e9cb8",
        folder="cifar-100-binary",
        train=("train.bin",),
        test=("test.bin",),
        names="fine_label_names.txt",
        label_bytes=2,
        classes=100,
        counts=(50_000, 10_000),
        python_archive="cifar-100-python.tar.gz",
        python_folder="cifar-100-python",
        torchvision="CIFAR100",
    ),
}


def read_cifar(name: str, folder: Path, download: bool, progress: Progress = silent) -> Source:
    """`cifar10` or `cifar100` at 32x32, in the published order, from what lies in `folder`.

    With `download`, the binary archive is fetched into `folder` if nothing is there. Raises MimicError if
    nothing is there otherwise, if the download fails, or if a file is not the published one.
    """
    version = VERSIONS[name]
    at_hand = _at_hand(version, folder)
    if at_hand is None and download:
        _fetch(version, folder / version.archive, progress)
        at_hand = _at_hand(version, folder)
    if at_hand is None:
        raise _missing(version, folder)
    read = _read_binary if at_hand.name in (version.archive, version.folder) else _read_python
    try:
        source = read(version, at_hand)
    except OSError as error:
        raise MimicError(f"{at_hand}: can not be read ({error})") from None
    _check(version, at_hand, source)
    return source


def check_cifar(name: str, folder: Path, download: bool) -> None:
    """Raise MimicError unless the files are in `folder` or may be fetched into it. Reads none of them."""
    if folder.exists() and not folder.is_dir():
        raise MimicError(f"{folder}: is no folder; data.path names the folder that holds the archive")
    if not download and _at_hand(VERSIONS[name], folder) is None:
        raise _missing(VERSIONS[name], folder)


def _at_hand(version: Version, folder: Path) -> Path | None:
    """The best of the published forms that is there. `folder` may itself be the unpacked one."""
    forms = (version.archive, version.folder, version.python_folder, version.python_archive)
    places = [folder / form for form in forms]
    if folder.name in (version.folder, version.python_folder):
        places.append(folder)
    return next((place for place in places if place.exists()), None)


def _missing(version: Version, folder: Path) -> MimicError:
    return MimicError(
        f"{folder}: holds neither {version.archive} nor {version.folder}/; set data.download to true, "
        "or data.path to the folder that holds one of them"
    )


def _fetch(version: Version, target: Path, progress: Progress) -> None:
    """Download the binary archive. `target` appears whole and verified, or not at all."""
    url = os.environ.get("MIMIC_CIFAR_URL", URL).rstrip("/") + "/" + version.archive
    progress(messages.fetching(url))
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with atomic_path(target) as aside:
            with urlopen(url, timeout=TIMEOUT) as response, aside.open("wb") as file:
                while block := response.read(BLOCK):
                    digest.update(block)
                    file.write(block)
            if digest.hexdigest() != version.md5:
                raise MimicError(
                    f"{url}: the download broke off or is not the published file (MD5 {digest.hexdigest()}, "
                    f"not {version.md5}); try again"
                )
    except (OSError, HTTPException, ValueError) as error:
        raise MimicError(
            f"{url}: can not be fetched ({error}); try again, or put {version.archive} into {target.parent}"
        ) from None


def _verify(path: Path, md5: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != md5:
        raise MimicError(f"{path}: is damaged or not the published file (MD5 {found}, not {md5}); remove it")


def _read_binary(version: Version, path: Path) -> Source:
    if path.is_file():
        _verify(path, version.md5)
    wanted = {version.names, *version.train, *version.test}
    named = ((entry.name.rsplit("/", 1)[-1], entry) for entry in entries(path))
    files = {name: entry.read() for name, entry in named if name in wanted}
    if missing := sorted(wanted - set(files)):
        raise MimicError(f"{path}: lacks {missing[0]}; unpack {version.archive} again")
    train = _records(version, path, b"".join(files[name] for name in version.train))
    test = _records(version, path, b"".join(files[name] for name in version.test))
    return Source(tuple(files[version.names].decode("ascii", "replace").split()), *train, *test)


def _records(version: Version, path: Path, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels; a record is its label bytes, then the red, green and blue plane."""
    width = version.label_bytes + PIXELS
    if len(content) % width:
        raise _damaged(version, path)
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, width)
    images_NCHW = records[:, version.label_bytes :].reshape(-1, 3, SIDE, SIDE)
    return images_NCHW, records[:, version.label_bytes - 1].astype(np.int64)


def _read_python(version: Version, path: Path) -> Source:
    from torchvision import datasets  # late: it takes seconds, and most studies do without

    dataset = getattr(datasets, version.torchvision)
    with _unpacked(path, dataset.tgz_md5) as root:
        try:  # torchvision compares the checksum of every batch before it unpickles the first
            train, test = dataset(root, train=True), dataset(root, train=False)
        except RuntimeError:
            raise MimicError(f"{path}: is incomplete or not the published files (MD5); remove it") from None
    arrays = [
        array
        for part in (train, test)
        for array in (part.data.transpose(0, 3, 1, 2), np.array(part.targets, dtype=np.int64))
    ]
    return Source(tuple(train.classes), *arrays)


@contextmanager
def _unpacked(path: Path, md5: str) -> Iterator[Path]:
    """The folder that holds the unpacked Python version."""
    if path.is_dir():
        yield path.parent
        return
    _verify(path, md5)
    with tempfile.TemporaryDirectory() as folder:
        shutil.unpack_archive(path, folder, filter="data")
        yield Path(folder)


def _check(version: Version, path: Path, source: Source) -> None:
    """An unpacked folder has no published checksum: count images and classes, and look at the labels."""
    counts = (len(source.train_labels_N), len(source.test_labels_N))
    labels = np.concatenate((source.train_labels_N, source.test_labels_N))
    expected = (version.counts, version.classes)
    if (counts, len(source.classes)) != expected or labels.max() >= version.classes:
        raise _damaged(version, path)


def _damaged(version: Version, path: Path) -> MimicError:
    return MimicError(f"{path}: a file in it is cut short or damaged; unpack {version.archive} again")
