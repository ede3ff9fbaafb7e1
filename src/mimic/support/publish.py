"""Files that appear whole or not at all: written aside, flushed to disk, renamed."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mimic.support.disk import FORBIDDEN, FULL, number_of

os.umask(UMASK := os.umask(0o022))  # it can not be read without being set
MODE = 0o666 & ~UMASK  # of published files: a group's where the group is to write


def sync_file(path: Path) -> None:
    """Flush one file's content to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries, so that a rename in it survives a power cut."""
    with suppress(OSError):  # some network file systems refuse to sync a folder
        sync_file(folder)


@contextmanager
def atomic_path(target: Path, durable: bool = True) -> Iterator[Path]:
    """A path beside `target` to write to; renamed onto `target` when the block ends without error.

    Killed at any instant, `target` is either the old file or the new one; if `durable`, also when the
    machine loses power. What the system refuses is an OSError that names `target`.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _naming(target):
        handle, aside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".aside")
        os.close(handle)
        try:
            yield Path(aside)
            os.chmod(aside, MODE)
            if durable:
                sync_file(Path(aside))
            os.replace(aside, target)
            if durable:
                sync_folder(target.parent)
        finally:
            Path(aside).unlink(missing_ok=True)


@contextmanager
def _naming(target: Path) -> Iterator[None]:
    """A write that fails says neither where nor, by safetensors, in a form that programs read."""
    try:
        yield
    except Exception as error:
        number, named = number_of(error), getattr(error, "filename", None)
        if number not in FULL | FORBIDDEN or (named and Path(str(named)).parent != target.parent):
            raise
        raise OSError(number, os.strerror(number), os.fspath(target)) from error


def renew(path: Path, date: int | None = None) -> None:
    """Give a file a date (ns since 1970, or now) and the rights of a new one; another's is copied first."""
    times = {} if date is None else {"ns": (date, date)}
    try:
        os.chmod(path, MODE)
        os.utime(path, **times)
    except PermissionError:
        with atomic_path(path) as aside:
            shutil.copyfile(path, aside)
        os.utime(path, **times)


def write_text(target: Path, text: str, durable: bool = True) -> None:
    """Publish a text file atomically."""
    with atomic_path(target, durable) as aside:
        aside.write_text(text, encoding="utf-8")


def write_json(target: Path, value: object) -> None:
    """Publish a JSON file atomically, keys in the order given, readable by a person."""
    write_text(target, json.dumps(value, indent=1, allow_nan=False) + "\n")
