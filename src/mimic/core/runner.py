"""Run one job: lock, check what it reads, restore or compute aside, publish whole."""

import errno
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from mimic.core import identity, publish, store
from mimic.core.errors import MimicError
from mimic.core.identity import FileRecord, Sidecar
from mimic.core.provenance import Clock
from mimic.core.specs import Spec
from mimic.core.study import SIDECAR


@dataclass(frozen=True)
class Context:
    """What a step is given."""

    spec: Spec
    out: Path  # an empty folder: the step leaves its output files here
    training: Path  # checkpoints and the live record; kept when the job fails
    threads: int
    progress: Callable[[str], None]

    def folder(self, job: str) -> Path:
        """The folder that holds the files of an upstream job such as `data/data`."""
        return self.spec.upstream[job].sidecar.parent

    def upstream(self, step: str) -> dict[str, Path]:
        """The folders of all upstream jobs of a step, by name."""
        ids = (job.split("/", 1) for job in self.spec.upstream)
        return {name: self.folder(f"{step}/{name}") for upstream, name in ids if upstream == step}


class Reporter:
    """Progress for a person: to standard error with the job's name, to the log with the time."""

    def __init__(self, job: str, log: Path | None) -> None:
        self.job = job
        self.log = None
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            self.log = open(log, "a", encoding="utf-8", buffering=1)  # noqa: SIM115 (lives as long as the job)

    def __call__(self, text: str) -> None:
        print(f"{self.job}: {text}", file=sys.stderr, flush=True)
        if self.log:
            self.log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")


def run(spec: Spec, step: Callable[[Context], None], threads: int, progress: Callable[[str], None]) -> None:
    """Make the result of `spec`, or find that it is there.

    Two copies of one job at once (an orphan after a node failure, and its successor) are safe: the
    second waits for the first and adopts its result.
    """
    lock = FileLock(spec.state("locks").with_suffix(".lock"))
    Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress("another process works on this job; waiting for it")
        lock.acquire()
    with lock:
        if identity.is_fresh(spec.key, spec.sidecar, spec.outputs):
            progress("already there")
            return
        _check_code(spec)
        _check_upstream(spec)
        staging = spec.state("staging")
        shutil.rmtree(staging, ignore_errors=True)  # of a copy that was killed
        staging.mkdir(parents=True)
        with tempfile.TemporaryDirectory(dir=staging) as folder:
            out = Path(folder)
            record = store.restore(spec, out)
            if record:
                progress(f"restored the result with key {spec.key}")
            else:
                record = _compute(spec, step, out, threads, progress)
            publish.write_json(out / SIDECAR, record.model_dump(mode="json"))
            store.keep(spec, out)
            _publish(spec, out)
        shutil.rmtree(spec.state("training"), ignore_errors=True)  # its checkpoint has served


def _compute(spec: Spec, step, out: Path, threads: int, progress) -> Sidecar:
    clock = Clock(threads)
    step(Context(spec, out, spec.state("training"), threads, progress))
    files = {}
    for name in spec.outputs:
        if not (out / name).is_file():
            raise RuntimeError(f"{spec.step} {spec.name}: the step did not write {name}")
        files[name] = FileRecord(md5=identity.file_md5(out / name), size=(out / name).stat().st_size)
    return Sidecar(
        step=spec.step,
        name=spec.name,
        study=spec.study,
        key=spec.key,
        parameters=spec.task,
        code=spec.code,
        upstream={job: up.key for job, up in spec.upstream.items()},
        files=files,
        provenance=clock.provenance(),
    )


def _check_code(spec: Spec) -> None:
    """Raise MimicError when the code was edited since the spec was written: the key would not be true."""
    changed = {name for name, known in spec.code.items() if identity.code(spec.step).get(name) != known}
    if changed:
        names = ", ".join(sorted(changed))
        raise MimicError(f"{names}: edited since snakemake started; call snakemake again")


def _check_upstream(spec: Spec) -> None:
    """Raise MimicError when a file that the job reads is not the one that its key was made from."""
    for job, upstream in spec.upstream.items():
        record = identity.read_sidecar(upstream.sidecar)
        if record is None:
            raise MimicError(f"{upstream.sidecar}: missing or damaged; run snakemake to make {job} first")
        if record.key != upstream.key:
            raise MimicError(
                f"{upstream.sidecar}: the result of {job} is of other parameters or code "
                f"(key {record.key}, wanted {upstream.key}); run snakemake to make it anew"
            )
        for name, path in upstream.files.items():
            if not path.is_file():
                raise MimicError(f"{path}: missing; run snakemake to make {job} again")
            if name not in record.files or identity.file_md5(path) != record.files[name].md5:
                raise MimicError(
                    f"{path}: damaged, its digest is not the one in {upstream.sidecar}; remove it"
                )


def _publish(spec: Spec, out: Path) -> None:
    """Move a result into place, its sidecar last: without it there is no result."""
    spec.sidecar.parent.mkdir(parents=True, exist_ok=True)
    spec.sidecar.unlink(missing_ok=True)
    for name, target in [*spec.outputs.items(), (SIDECAR, spec.sidecar)]:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.chmod(out / name, 0o644)
        os.utime(out / name)  # Snakemake wants outputs newer than the job's start, also restored ones
        publish.sync_file(out / name)
        try:
            os.replace(out / name, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            with publish.atomic_path(target) as aside:  # results on another file system
                shutil.copyfile(out / name, aside)
        publish.sync_folder(target.parent)
