"""Earlier results by key: hard links, so that a parameter changed back costs no training.

A result is found by its key alone and believed by its digests alone.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from mimic.core import identity
from mimic.core.specs import STATE, Spec
from mimic.core.study import SIDECAR

STORE = STATE / "store"


def keep(spec: Spec, folder: Path) -> None:
    """Link the files in `folder`, a job's finished result, into the store."""
    shelf = STORE / spec.key
    shelf.mkdir(parents=True, exist_ok=True)
    for name in spec.outputs:
        with suppress(OSError):  # a file system without hard links has no store
            (shelf / name).unlink(missing_ok=True)
            os.link(folder / name, shelf / name)
    shutil.copyfile(folder / SIDECAR, shelf / SIDECAR)


def restore(spec: Spec, folder: Path) -> identity.Sidecar | None:
    """Copy an earlier result with this key into `folder`; None when there is none that is whole."""
    if os.environ.get("MIMIC_RETRAIN"):
        return None
    shelf = STORE / spec.key
    record = identity.read_sidecar(shelf / SIDECAR)
    if record is None or record.key != spec.key or set(record.files) != set(spec.outputs):
        return None
    for name, file in record.files.items():
        try:
            shutil.copyfile(shelf / name, folder / name)
        except OSError:
            return None
        if identity.file_md5(folder / name) != file.md5:
            return None
    return record


def discard_except(keys: set[str]) -> int:
    """Remove every stored result whose key is not among `keys`; returns the bytes that held them."""
    freed = 0
    for shelf in STORE.glob("*"):
        if shelf.name not in keys:
            freed += sum(file.stat().st_size for file in shelf.iterdir() if file.stat().st_nlink == 1)
            shutil.rmtree(shelf)
    return freed
