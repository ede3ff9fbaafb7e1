"""What a disk refuses, in one line: it is full, or not to be written by whoever asks."""

import errno
import getpass
import os
import re
import shutil
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
    file = Path(str(getattr(error, "filename", None) or where))
    if number in FULL:
        return f"{file}: {os.strerror(number).lower()}{_room(file)}; make room and call again"
    if number in FORBIDDEN:
        return f"{file}: {os.strerror(number).lower()}{_owner(file)}; work in a folder of your own"
    return None


def number_of(error: BaseException) -> int | None:
    """The number by which the system knows an error; that of safetensors stands in its text."""
    if isinstance(error, OSError):
        return error.errno
    found = re.search(r"\(os error (\d+)\)", str(error))
    return int(found[1]) if found else None


def _nearest(file: Path) -> Path:
    return next((path for path in (file, *file.parents) if path.exists()), Path())


def _room(file: Path) -> str:
    folder = _nearest(file.absolute())
    return f": {shutil.disk_usage(folder).free / 1e6:,.0f} MB are free on the disk of {folder}"


def _owner(file: Path) -> str:
    folder = _nearest(file.absolute())
    try:
        return f" to {getpass.getuser()}: {folder} is {folder.owner()}'s"
    except (KeyError, OSError):  # a user without a name
        return f": {folder} is user {folder.stat().st_uid}'s"
