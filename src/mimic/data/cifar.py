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
from mimic.data.labelled import Progress, Source
from mimic.support import messages
from mimic.support.errors import MimicError
from mimic.support.publish import atomic_path

URL = "https://www.cs.toronto.edu/~kriz"  # MIMIC_CIFAR_URL names a mirror
TIMEOUT = 60  # seconds without a byte
SIDE = 32  # pixels
PIXELS = 3 * SIDE * SIDE


@dataclass(frozen=True)
class Version:
    """What is published of one data set."""

    classes: int
    archive: str  # of the binary version
    md5: str
    folder: str  # in the archive
    train: tuple[str, ...]
    test: tuple[str, ...]
    names: str  # file with one class name a line
    label_bytes: int  # before each image; the last one is the label
    python_archive: str
    python_folder: str
    torchvision: str  # its reader of the Python version
    counts: tuple[int, int] = (50_000, 10_000)  # images of train and test


VERSIONS = {
    "cifar10": Version(
        classes=10,
        archive="cifar-10-binary.tar.gz",
        md5="c32a1d4ab5d03f1284b67883e8d87530",
        folder="cifar-10-batches-bin",
        train=tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
        test=("test_batch.bin",),
        names="batches.meta.txt",
        label_bytes=1,
        python_archive="cifar-10-python.tar.gz",
        python_folder="cifar-10-batches-py",
        torchvision="CIFAR10",
    ),
    "cifar100": Version(
        classes=100,
        archive="cifar-100-binary.tar.gz",
        md5="03b5dce01913d631647c71ecec9e9cb8",
        folder="cifar-100-binary",
        train=("train.bin",),
        test=("test.bin",),
        names="fine_label_names.txt",
        label_bytes=2,
        python_archive="cifar-100-python.tar.gz",
        python_folder="cifar-100-python",
        torchvision="CIFAR100",
    ),
}


def read_cifar(name: str, folder: Path, download: bool, progress: Progress = print) -> Source:
    """`cifar10` or `cifar100` at 32x32, in the published order, from what lies in `folder`.

    With `download`, the binary archive is fetched into `folder` if nothing is there. Raises MimicError if
    nothing is there otherwise, if the download fails, or if a file is not the published one.
    """
    version = VERSIONS[name]
    if download and _at_hand(version, folder) is None:
        _fetch(version, folder / version.archive, progress)
    check_cifar(name, folder, download=False)
    at_hand = _at_hand(version, folder)
    read = _read_binary if at_hand.name in (version.archive, version.folder) else _read_python
    try:
        source = read(version, at_hand)
        whole = _is_whole(version, source)
    except OSError as error:
        raise MimicError(f"{at_hand}: can not be read ({error})") from None
    except ValueError:  # not made of whole records
        whole = False
    if not whole:
        raise MimicError(f"{at_hand}: a file in it is cut short or damaged; unpack {version.archive} again")
    return source


def check_cifar(name: str, folder: Path, download: bool) -> None:
    """Raise MimicError unless the files are in `folder` or may be fetched into it. Reads none of them."""
    if folder.exists() and not folder.is_dir():
        raise MimicError(f"{folder}: is no folder; data.path names the folder that holds the archive")
    version = VERSIONS[name]
    if not download and _at_hand(version, folder) is None:
        raise MimicError(
            f"{folder}: holds neither {version.archive} nor {version.folder}/; set data.download to true, "
            "or data.path to the folder that holds one of them"
        )


def _at_hand(version: Version, folder: Path) -> Path | None:
    """The best of the published forms that is there. `folder` may itself be the unpacked one."""
    forms = (version.archive, version.folder, version.python_folder, version.python_archive)
    places = [folder / form for form in forms]
    if folder.name in (version.folder, version.python_folder):
        places.append(folder)
    return next((place for place in places if place.exists()), None)


def _fetch(version: Version, target: Path, progress: Progress) -> None:
    """Download the binary archive. `target` appears whole and verified, or not at all."""
    url = os.environ.get("MIMIC_CIFAR_URL", URL).rstrip("/") + "/" + version.archive
    progress(messages.fetching(url))
    try:
        with atomic_path(target) as aside:
            with urlopen(url, timeout=TIMEOUT) as response, aside.open("wb") as file:
                shutil.copyfileobj(response, file)
            if (found := _md5(aside)) != version.md5:
                raise MimicError(
                    f"{url}: the download broke off or is not the published file (MD5 {found}, "
                    f"not {version.md5}); try again"
                )
    except (OSError, HTTPException, ValueError) as error:
        raise MimicError(
            f"{url}: can not be fetched ({error}); try again, or put {version.archive} into {target.parent}"
        ) from None


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _verify(path: Path, md5: str) -> None:
    if (found := _md5(path)) != md5:
        raise MimicError(f"{path}: is damaged or not the published file (MD5 {found}, not {md5}); remove it")


def _read_binary(version: Version, path: Path) -> Source:
    if path.is_file():
        _verify(path, version.md5)
    wanted = {version.names, *version.train, *version.test}
    named = ((entry.name.rsplit("/", 1)[-1], entry) for entry in entries(path))
    files = {name: entry.read() for name, entry in named if name in wanted}
    if missing := sorted(wanted - set(files)):
        raise MimicError(f"{path}: lacks {missing[0]}; unpack {version.archive} again")
    train, test = (b"".join(files[name] for name in part) for part in (version.train, version.test))
    names = files[version.names].decode("ascii", "replace").split()
    return Source(tuple(names), *_records(version, train), *_records(version, test))


def _records(version: Version, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels; a record is its label bytes, then the red, green and blue plane."""
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, version.label_bytes + PIXELS)
    images_NCHW = records[:, version.label_bytes :].reshape(-1, 3, SIDE, SIDE)
    return images_NCHW, records[:, version.label_bytes - 1].astype(np.int64)


def _read_python(version: Version, path: Path) -> Source:
    from torchvision import datasets  # late: it takes seconds, and most studies do without

    dataset = getattr(datasets, version.torchvision)
    with _unpacked(path, dataset.tgz_md5) as root:
        try:  # torchvision compares the checksum of every batch before it unpickles the first
            parts = [dataset(root, train=train) for train in (True, False)]
        except RuntimeError:
            raise MimicError(f"{path}: is incomplete or not the published files (MD5); remove it") from None
    arrays = []
    for part in parts:
        arrays += [part.data.transpose(0, 3, 1, 2), np.array(part.targets, dtype=np.int64)]
    return Source(tuple(parts[0].classes), *arrays)


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


def _is_whole(version: Version, source: Source) -> bool:
    """An unpacked folder has no published checksum: count images and classes, and look at the labels."""
    counts = (len(source.train_labels_N), len(source.test_labels_N))
    labels = np.concatenate((source.train_labels_N, source.test_labels_N))
    expected = (version.counts, version.classes)
    return (counts, len(source.classes)) == expected and labels.max() < version.classes
