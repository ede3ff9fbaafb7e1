"""The files of a folder, zip or tar archive, one after the other.

Archives are read member by member and never unpacked to disk, so no member can land outside a folder.
What a data set has no use for (links, devices, names that climb out, sizes of a decompression bomb) is
refused by name; hidden files and the litter of file managers are passed over.
"""

import bz2
import gzip
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NoReturn

from mimic.support.errors import MimicError

# Bounds of ours, far above any data set that fits this study.
MEMBERS = 2_000_000
MEMBER_BYTES = 256 * 2**20
TOTAL_BYTES = 64 * 2**30
FOLDER_DEPTH = 5  # wrapper/train/class/unexpected/file: deep enough to notice what should not be there

LITTER = {"__MACOSX", "Thumbs.db", "desktop.ini"}
TAR_BLOCK = 512
UTF8_NAME = 0x800  # a zip's flag
DECOMPRESSORS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or folder.

    `read` returns a file's bytes and must be called before the next entry is asked for. It raises OSError
    if this file alone is damaged, and MimicError if nothing after it can be read either.
    """

    name: str  # relative, with forward slashes: train/cat/1.png
    size: int  # bytes, 0 for a folder
    is_folder: bool
    read: Callable[[], bytes]


def entries(path: Path) -> Iterator[Entry]:
    """Every file and folder below `path`: a folder, or a zip or tar(.gz, .bz2, .xz) archive.

    The kind is told by the content, and the order is that of the archive. Raises MimicError if there is no
    such path, if it is no archive, or if the archive is cut short, encrypted, too large or holds a member
    that is refused.
    """
    seen: set[str] = set()
    total = 0
    for entry in _raw_entries(path):
        parts = PurePosixPath(entry.name).parts
        if entry.name.startswith("/") or ".." in parts:
            raise MimicError(
                f"{path}: the name {entry.name!r} leads out of the archive; pack it with relative names"
            )
        if not parts or any(map(_is_litter, parts)):
            continue
        name = "/".join(parts)
        if name in seen and not entry.is_folder:
            raise MimicError(f"{path}: holds {name!r} twice; keep one")
        seen.add(name)
        total += entry.size
        if entry.size > MEMBER_BYTES:
            raise MimicError(
                f"{path}: {name!r} unpacks to more than {MEMBER_BYTES} bytes; no image needs that"
            )
        if total > TOTAL_BYTES or len(seen) > MEMBERS:
            raise MimicError(
                f"{path}: unpacks to more than {TOTAL_BYTES} bytes or {MEMBERS} files; use fewer"
            )
        yield replace(entry, name=name)


def _is_litter(part: str) -> bool:
    return part.startswith(".") or part in LITTER


def _refuse(path: Path, name: str, what: str) -> MimicError:
    return MimicError(f"{path}: {name!r} is {what}; only plain files and folders are read")


def _raw_entries(path: Path) -> Iterator[Entry]:
    """The entries under the names that the source gives them."""
    if path.is_dir():
        return _folder(path)
    try:
        with path.open("rb") as file:
            magic = file.read(6)
    except FileNotFoundError:
        raise MimicError(f"{path}: no such folder or archive; correct data.path") from None
    except OSError as error:
        raise MimicError(f"{path}: can not be read: {error.strerror}") from None
    if magic.startswith(b"PK"):
        return _zip(path)
    return _tar(path, next((opens for mark, opens in DECOMPRESSORS.items() if magic.startswith(mark)), open))


def _folder(path: Path) -> Iterator[Entry]:
    """Links are followed here: a user's own folder may well be made of them."""
    try:
        for place, folders, files in os.walk(path, onerror=_raise, followlinks=True):
            parent = Path(place).relative_to(path)
            folders.sort()
            for name in folders:
                yield Entry((parent / name).as_posix(), 0, True, bytes)
            for name in sorted(files):
                file = path / parent / name
                status = file.stat()
                if not stat.S_ISREG(status.st_mode):  # to open a pipe would wait for ever
                    raise _refuse(path, (parent / name).as_posix(), "a pipe, socket or device")
                yield Entry((parent / name).as_posix(), status.st_size, False, file.read_bytes)
            deep = len(parent.parts) >= FOLDER_DEPTH - 1  # links can make a folder its own descendant
            folders[:] = [name for name in folders if not deep and not _is_litter(name)]
    except OSError as error:
        raise MimicError(
            f"{error.filename}: can not be read: {error.strerror}; repair or remove it"
        ) from None


def _raise(error: OSError) -> NoReturn:
    raise error


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Errors that spoil a whole archive, in one sentence."""
    try:
        yield
    except BROKEN as error:
        raise MimicError(
            f"{path}: the archive is cut short or damaged ({error}); copy or make it again"
        ) from None


def _zip(path: Path) -> Iterator[Entry]:
    with _whole(path), zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)  # 0 where the writer knew no Unix modes
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refuse(path, member.filename, "a link or device")
            if member.flag_bits & 1:
                raise MimicError(f"{path}: {member.filename!r} is encrypted; pack it without a password")
            yield Entry(
                _zip_name(member), member.file_size, member.is_dir(), partial(_zip_member, archive, member)
            )


def _zip_name(member: zipfile.ZipInfo) -> str:
    """The name with forward slashes; in UTF-8 where it can be, also where the writer didn't say so."""
    name = member.filename.replace("\\", "/")  # some writers on Windows
    if member.flag_bits & UTF8_NAME:
        return name
    try:
        return name.encode("cp437").decode("utf-8")  # zipfile takes what isn't said to be UTF-8 for cp437
    except UnicodeError:
        return name


def _zip_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(member)
    except (*BROKEN, NotImplementedError) as error:
        raise OSError(f"damaged in the archive: {error}") from None


class _Bounded:
    """A stream that refuses to hand out more than a member may hold at once.

    tarfile reads the extension of a header (a long name) whole, however large the header says it is.
    """

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path, self.stream = path, stream
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int) -> bytes:
        if size > MEMBER_BYTES:
            raise MimicError(f"{self.path}: holds a header of {size} bytes; no data set needs that")
        return self.stream.read(size)


def _tar(path: Path, opener: Callable[..., BinaryIO]) -> Iterator[Entry]:
    with _whole(path), opener(path, "rb") as stream:
        try:
            archive = tarfile.TarFile(fileobj=_Bounded(path, stream))
        except tarfile.ReadError:
            raise MimicError(
                f"{path}: is neither a folder nor a zip or tar archive; correct data.path"
            ) from None
        end = 0
        for member in archive:
            if member.islnk():
                raise MimicError(
                    f"{path}: {member.name!r} is a hard link; pack with `tar --hard-dereference`"
                )
            if not (member.isreg() or member.isdir()) or member.issparse():
                raise _refuse(path, member.name, "a link, a device or a sparse file")
            size = member.size if member.isreg() else 0
            yield Entry(member.name, size, member.isdir(), partial(_tar_member, path, archive, member))
            end = member.offset_data + -(-size // TAR_BLOCK) * TAR_BLOCK
        stream.seek(end)  # tarfile takes a header that it can not read for the end
        if stream.read(TAR_BLOCK) != bytes(TAR_BLOCK):
            raise tarfile.ReadError(f"no end mark at byte {end}")


def _tar_member(path: Path, archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    with _whole(path):
        return archive.extractfile(member).read()
