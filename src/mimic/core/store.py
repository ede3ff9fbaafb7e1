"""Earlier results by key, so that a parameter changed back costs no training: hard links, and DVC's cache.

A result is found by its key alone and believed by its digests alone.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from mimic.core import dvc_cache, identity
from mimic.core.identity import Sidecar
from mimic.core.jobs import SIDECAR
from mimic.core.specs import STATE, Spec

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


def restore(spec: Spec, folder: Path, progress: Callable[[str], None] = print) -> Sidecar | None:
    """Copy an earlier result with this key into `folder`; None when there is none that is whole.

    What is damaged is named to `progress` and passed over. MIMIC_RETRAIN=1 restores nothing.
    """
    if os.environ.get("MIMIC_RETRAIN"):
        return None
    for record, files in _candidates(spec):
        if set(record.files) == set(spec.outputs) and _copy(record, files, folder, progress):
            return record
    return None


def _candidates(spec: Spec) -> Iterator[tuple[Sidecar, dict[str, Path]]]:
    """Sidecars with the key of `spec`, and where their files would lie."""
    shelf = STORE / spec.key
    record = identity.read_sidecar(shelf / SIDECAR)
    if record and record.key == spec.key:
        yield record, {name: shelf / name for name in spec.outputs}
    for record in dvc_cache.find(spec.key):
        yield record, {name: dvc_cache.object_path(file.md5) for name, file in record.files.items()}


def _copy(record: Sidecar, files: dict[str, Path], folder: Path, progress: Callable[[str], None]) -> bool:
    for name, file in record.files.items():
        source = files[name]
        if source is None or not source.is_file():
            return False
        shutil.copyfile(source, folder / name)
        if identity.file_md5(folder / name) != file.md5:
            progress(f"{source}: damaged, its digest is not the recorded one; not used")
            return False
    return True


def discard_except(keys: set[str], study: str) -> int:
    """Remove a study's stored results whose key is not among `keys`; returns the bytes that held them."""
    freed = 0
    for shelf in STORE.glob("*"):
        record = identity.read_sidecar(shelf / SIDECAR)
        if shelf.name not in keys and (record is None or record.study == study):
            freed += sum(file.stat().st_size for file in shelf.iterdir() if file.stat().st_nlink == 1)
            shutil.rmtree(shelf)
    return freed
