"""Every result under its key: hard links that outlive its name in results/. And DVC's cache, by key.

An engine may replace or delete the names of a result, and a parameter changed back costs no training. A
result is found by its key alone and believed by its digests alone.

The key of a trial holds its proposal, that of a searched student the selection, and both change when a
search grows. So a digest of what such a training was in the end asked to do, its settled task, leads to
the key under which that was done, and what was done is not repeated.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from mimic.dag.steps import SIDECAR
from mimic.engine import dvc_cache
from mimic.engine.keys import digest
from mimic.engine.sidecar import Sidecar, damage, file_md5, read_sidecar
from mimic.engine.specs import Spec
from mimic.engine.state import STATE
from mimic.support import publish

STORE = STATE / "store"
SETTLED = STATE / "settled"
SETTLING = ("proposal/", "selection/")  # jobs upstream that settle a task


def shelf(key: str) -> Path:
    """Where the files of the result with this key lie."""
    return STORE / key


def keep(record: Sidecar, files: dict[str, Path]) -> None:
    """Link the files of a result, by what its sidecar calls them, into the store; the sidecar comes last."""
    place = shelf(record.key)
    if read_sidecar(place / SIDECAR) == record and not damage(
        record, {name: place / name for name in record.files}
    ):
        return
    place.mkdir(parents=True, exist_ok=True)
    (place / SIDECAR).unlink(missing_ok=True)
    for name in record.files:
        _link(files[name], place / name)
    publish.write_json(place / SIDECAR, record.model_dump(mode="json"))


def keep_what_is_there(sidecar: Path, outputs: dict[str, Path]) -> None:
    """Keep whatever whole result lies under some names, so that an engine may delete these."""
    record = read_sidecar(sidecar)
    if record and damage(record, outputs) is None:
        keep(record, outputs)


def _link(source: Path, target: Path) -> None:
    """Give a file one name more; what had that name goes when its successor is whole."""
    aside = target.with_name(f".{target.name}.aside")
    aside.unlink(missing_ok=True)
    try:
        try:
            os.link(source.resolve(), aside)
        except OSError:  # a file system without hard links, or another one
            shutil.copyfile(source, aside)
        os.replace(aside, target)
    finally:
        aside.unlink(missing_ok=True)  # also where both were names of one file: to rename does nothing then


def restore(
    spec: Spec, folder: Path, settle: Callable[[], dict | None], progress: Callable[[str], None]
) -> Sidecar | None:
    """Put an earlier result with this key, or else with the same settled task, into `folder`.

    `settle` gives that task, where a search settles one. None when there is no result that is whole. What
    is damaged is named to `progress` and passed over.
    """
    for key in filter(None, (find() for find in (lambda: spec.key, lambda: _key_of(spec, settle())))):
        for record, files in _candidates(key, spec):
            if set(record.files) == set(spec.outputs) and _copy(record, files, folder, progress):
                upstream = {job: up.key for job, up in spec.upstream.items()}
                now = {"key": spec.key, "parameters": spec.asked, "upstream": upstream}
                return record.model_copy(update=now)
    return None


def remember(spec: Spec, task: dict) -> None:
    """Note under which key a settled task was done."""
    publish.write_text(SETTLED / _settled(spec, task), spec.key, durable=False)


def _key_of(spec: Spec, task: dict | None) -> str | None:
    with suppress(OSError):
        return (SETTLED / _settled(spec, task)).read_text(encoding="utf-8") if task else None


def _settled(spec: Spec, task: dict) -> str:
    """What a job does, given its settled task: all that its key is made of but the search."""
    upstream = {job: up.key for job, up in spec.upstream.items() if not job.startswith(SETTLING)}
    return digest([spec.step, spec.name, task, spec.code, upstream])


def _candidates(key: str, spec: Spec) -> Iterator[tuple[Sidecar, dict[str, Path]]]:
    """Sidecars with a key, and where their files would lie."""
    record = read_sidecar(shelf(key) / SIDECAR)
    if record and record.key == key:
        yield record, {name: shelf(key) / name for name in spec.outputs}
    for record in dvc_cache.find(key):
        yield record, {name: dvc_cache.object_path(file.md5) for name, file in record.files.items()}


def _copy(record: Sidecar, files: dict[str, Path], folder: Path, progress: Callable[[str], None]) -> bool:
    for name, file in record.files.items():
        source = files[name]
        if source is None or not source.is_file():
            return False
        if source.is_relative_to(STORE):
            _link(source, folder / name)
        else:  # DVC's cache stays DVC's alone
            shutil.copyfile(source, folder / name)
        if file_md5(folder / name) != file.md5:
            progress(f"{source}: damaged, its digest is not the recorded one; not used")
            return False
    return True


def discard_except(keys: set[str], study: str) -> int:
    """Remove a study's stored results whose key is not among `keys`; returns the bytes that held them."""
    freed = 0
    for place in STORE.glob("*"):
        record = read_sidecar(place / SIDECAR)
        if place.name not in keys and (record is None or record.study == study):
            freed += sum(file.stat().st_size for file in place.iterdir() if file.stat().st_nlink == 1)
            shutil.rmtree(place)
    return freed
