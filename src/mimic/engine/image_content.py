"""The content of the user's images, which is in every key; where they lie is in none.

To read them all at each call would take seconds, so a listing of names, sizes and dates decides whether they
are read again. Where the images are absent, the packed set says of which content it was made.
"""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

from mimic.dag.steps import SIDECAR
from mimic.data.archives import entries
from mimic.data.cifar import VERSIONS
from mimic.data.folders import read_layout
from mimic.data.image_parameters import Data
from mimic.data.sources import image_path
from mimic.engine.sidecar import read_sidecar
from mimic.engine.state import STATE
from mimic.support import publish


def content(data: Data, packed: Path) -> str | None:
    """What `digest` says; where the images are absent, of which the packed set in the folder `packed` is.

    None for images that nothing here tells about. Raises MimicError when the images' layout is wrong.
    """
    if data.source != "images" or image_path(data).exists():
        return digest(data)
    record = read_sidecar(packed / SIDECAR)
    return record.parameters.get("content") if record else None


def digest(data: Data, anew: bool = False) -> str | None:
    """A digest of all images, read whatever their dates say if `anew`; None where parameters make them."""
    if data.source == "synthetic":
        return None
    if data.source in VERSIONS:  # read only with this checksum
        return VERSIONS[data.source].md5
    path = image_path(data)
    return (None if anew else _known(path)) or _remembered(path, _read(path))


def _read(path: Path) -> str:
    """Of each image its split, class and file name, and its bytes: the same in a folder, zip or tar."""
    layout = read_layout(path)
    wanted = {
        file: f"{pool}/{layout.classes[label]}/{file.rpartition('/')[2]}"
        for pool, files in layout.files.items()
        for file, label in files.items()
    }
    digests = {
        wanted[entry.name]: hashlib.sha256(entry.read()).hexdigest()
        for entry in entries(path)
        if entry.name in wanted
    }
    return hashlib.sha256(json.dumps(sorted(digests.items())).encode()).hexdigest()[:32]


def _listing(path: Path) -> str:
    """A digest of names, sizes and dates: of the archive, or of every file in a folder."""
    files = [path] if path.is_file() else [path / e.name for e in entries(path) if not e.is_folder]
    state = hashlib.sha256()
    for file in files:
        status = os.stat(file)
        seen = (os.fspath(file), status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        state.update(repr(seen).encode())
    return state.hexdigest()


def _cache(path: Path) -> Path:
    name = hashlib.sha256(os.fspath(path.resolve()).encode()).hexdigest()[:16]
    return STATE / "images" / f"{name}.json"


def _known(path: Path) -> str | None:
    try:
        known = json.loads(_cache(path).read_bytes())
        return known["content"] if known["listing"] == _listing(path.resolve()) else None
    except (OSError, ValueError, KeyError):
        return None


def _remembered(path: Path, content: str) -> str:
    known = {"listing": _listing(path.resolve()), "content": content}
    with suppress(OSError):  # a folder to be read alone
        publish.write_text(_cache(path), json.dumps(known), durable=False)
    return content
