"""What a disk refuses, in one line: it is full, or not to be written by whoever asks."""

import errno
import getpass
import os
import re
import shutil
import stat
from pathlib import Path

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def refused(error: BaseException, where: Path = Path()) -> str | None:
    """What a disk refused, and what to do about it; None for any other error.

    Of a group of errors the first, where all are of this kind. `where` is named when the error names no file.
    """
    if isinstance(error, BaseExceptionGroup):
        lines = [refused(one, where) for one in error.exceptions]
        return lines[0] if all(lines) else None
    number = number_of(error)
    if number in FULL:  # of a copy, the second name's disk
        file = _named(error, "filename2") or _named(error, "filename") or where
        room = f"{free(file) / 1e6:,.0f} MB are free on its disk"
        return f"{file}: {os.strerror(number).lower()}: {room}; make room and call again"
    file = _named(error, "filename") or where
    if number in FORBIDDEN:
        return f"{file}: {os.strerror(number).lower()}{_owner(file)}; {_way_out(file)}"
    return None


def number_of(error: BaseException) -> int | None:
    """The number by which the system knows an error; that of safetensors stands in its text."""
    if isinstance(error, OSError):
        return error.errno
    found = re.search(r"\(os error (\d+)\)", str(error))
    return int(found[1]) if found else None


def _nearest(file: Path) -> Path:
    return next((path for path in (file, *file.parents) if path.exists()), Path())


def free(file: Path) -> int:
    """Bytes that are free on the disk where a file is, or will be."""
    return shutil.disk_usage(_nearest(file.absolute())).free


def _named(error: BaseException, attribute: str) -> Path | None:
    name = getattr(error, attribute, None)
    return Path(os.fsdecode(name)) if isinstance(name, str | bytes | os.PathLike) else None


def _way_out(file: Path) -> str:
    folder = next(path for path in file.absolute().parents if path.is_dir())
    if folder.stat().st_mode & stat.S_ISGID:
        return "who shares a folder with a group has to make files with `umask 002`"
    return "work in a folder of your own"


def _owner(file: Path) -> str:
    folder = _nearest(file.absolute())
    try:
        return f" to {getpass.getuser()}: {folder} is {folder.owner()}'s"
    except (KeyError, OSError):  # a user without a name
        return f": {folder} is user {folder.stat().st_uid}'s"
