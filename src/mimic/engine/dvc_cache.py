"""Results in DVC's cache, found by key. Its files are read directly: to import DVC takes as long as a job.

DVC names a file's content by its MD5, `<cache>/files/md5/ab/cdef…`, and lists a folder's content in such a
file, `…/ab/cdef….dir`. Nothing here is believed for its name: a cache may have been filled from anywhere.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from mimic.dag.steps import SIDECAR
from mimic.engine.sidecar import Sidecar
from mimic.engine.state import STATE
from mimic.support import publish

DVC = Path(".dvc")
INDEX = STATE / "dvc-sidecars.json"
MD5 = re.compile(r"[0-9a-f]{32}")


def folder() -> Path:
    """Where DVC keeps contents: `.dvc/cache`, or what one of DVC's four configurations names instead."""
    return _named_by(settings()) / "files" / "md5"


def settings() -> tuple[bytes, ...]:
    """The four configurations that DVC reads, the weakest first; b"" for one that is missing."""
    from dvc.dirs import global_config_dir, system_config_dir

    folders = [Path(system_config_dir()), Path(global_config_dir()), DVC]
    return tuple(_content(file) for file in [*(f / "config" for f in folders), DVC / "config.local"])


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


@cache
def _named_by(settings: tuple[bytes, ...]) -> Path:
    """DVC is asked, but only where something is said of a cache: to import it takes as long as a job."""
    if not any(b"cache" in text for text in settings):
        return DVC / "cache"
    from dvc.config import Config, ConfigError

    try:
        config = Config(os.fspath(DVC.absolute()))
    except ConfigError:  # DVC itself says what is wrong with it
        return DVC / "cache"
    named = config["cache"].get("local")
    return Path(config["remote"][named]["url"] if named else config["cache"].get("dir", DVC / "cache"))


def object_path(md5: str) -> Path | None:
    """Where a content lies, or None for what is no digest: it comes from files that are not ours."""
    return folder() / md5[:2] / md5[2:] if MD5.fullmatch(md5) else None


def listing(md5: str) -> dict[str, str]:
    """The files of a folder by their paths in it, with their digests; {} without a listing that is whole."""
    if not MD5.fullmatch(md5):
        return {}
    content = read(listing_path(md5), md5)
    return {entry["relpath"]: entry["md5"] for entry in json.loads(content)} if content else {}


def listing_path(md5: str) -> Path:
    """Where the listing of a folder lies."""
    return folder() / md5[:2] / f"{md5[2:]}.dir"


def find(key: str) -> Iterator[Sidecar]:
    """The sidecars with this key that the cache holds, whole."""
    for md5 in _updated_index()["keys"].get(key, []):
        record = _sidecar(md5)
        if record and record.key == key:
            yield record


def read(path: Path, md5: str) -> bytes | None:
    """A content that has the digest after which it is named; None when it is missing or damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content if hashlib.md5(content, usedforsecurity=False).hexdigest() == md5 else None


def _sidecar(md5: str) -> Sidecar | None:
    try:
        return Sidecar.model_validate_json(read(object_path(md5), md5) or b"")
    except ValidationError:
        return None


def _updated_index() -> dict:
    """Which sidecars the cache holds for which key; only listings new since the last call are read."""
    try:
        index = json.loads(INDEX.read_bytes())
    except (OSError, ValueError):
        index = {"listings": [], "keys": {}}
    known = set(index["listings"])
    new = [md5 for md5 in _listings() if md5 not in known]
    for md5 in new:
        sidecars = _sidecars_of(md5)
        for sidecar_md5, record in sidecars.items():
            shelf = index["keys"].setdefault(record.key, []) if record else []
            if sidecar_md5 not in shelf:
                shelf.append(sidecar_md5)
        if all(sidecars.values()):  # else some are still to be pulled
            index["listings"].append(md5)
    if new:
        publish.write_text(INDEX, json.dumps(index))
    return index


def _sidecars_of(md5: str) -> dict[str, Sidecar | None]:
    files = listing(md5).items()
    return {digest: _sidecar(digest) for path, digest in files if path.rsplit("/", 1)[-1] == SIDECAR}


def _listings() -> Iterator[str]:
    """The digest of every folder's listing in the cache."""
    try:
        prefixes = sorted(os.listdir(folder()))
    except OSError:
        return
    for prefix in prefixes:
        for name in os.listdir(folder() / prefix):
            if name.endswith(".dir"):
                yield prefix + name.removesuffix(".dir")
