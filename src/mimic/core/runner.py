"""Run jobs: lock, check what they read, restore or compute aside, publish whole."""

import errno
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from mimic.core import identity, publish, settled, store
from mimic.core.errors import MimicError
from mimic.core.identity import FileRecord, Sidecar
from mimic.core.jobs import SIDECAR
from mimic.core.provenance import Clock
from mimic.core.specs import Spec


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
        if self.log:
            self.log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {self.job}: {text}\n")
        with suppress(OSError):  # nobody listens any more: a killed srun, a closed terminal
            print(f"{self.job}: {text}", file=sys.stderr, flush=True)


Step = Callable[[Sequence[Context]], Iterator[Context]]  # yields each context when its files are there


def one_by_one(step: Callable[[Context], None]) -> Step:
    """A step that knows one job at a time, as one for several."""

    def run_each(contexts: Sequence[Context]) -> Iterator[Context]:
        for context in contexts:
            step(context)
            yield context

    return run_each


def run(
    specs: Sequence[Spec],
    step: Step,
    threads: int,
    progress: dict[str, Callable[[str], None]],
    settle: Callable[[Context], dict | None] = lambda context: None,
) -> None:
    """Make the results of `specs`, jobs of one step, or find that they are there.

    `progress` is by name. `settle` tells what a job is to do where only its upstream results say that
    (core/settled.py), else None.

    Two copies of one job at once (an orphan after a node failure, and its successor) are safe: the
    second waits for the first and adopts its result. A result is published as soon as it is whole,
    whatever becomes of the others.
    """
    with ExitStack() as held:
        # Everybody locks in the same order, so that no two cohorts can wait for one another.
        for spec in sorted(specs, key=lambda spec: spec.name):
            held.enter_context(_locked(spec, progress[spec.name]))
        upstream, contexts, digests = _Upstream(), [], {}
        for spec in specs:
            say = progress[spec.name]
            if identity.is_fresh(spec.key, spec.sidecar, spec.outputs):
                say("already there")
                continue
            _check_code(spec)
            upstream.check(spec)
            out = held.enter_context(_staging(spec))
            context = Context(spec, out, spec.state("training"), threads, say)
            task = settle(context)
            digests[spec.name] = settled.digest(spec, task) if task else None
            if record := _restore(context, digests[spec.name]):
                say(f"restored the result with key {record.key}")
                _finish(spec, out, settled.renewed(record, spec))
            else:
                contexts.append(context)
        if contexts:
            clock = Clock(threads, len(contexts))
            for context in step(contexts):
                spec = context.spec
                _finish(spec, context.out, _sidecar(spec, context.out, clock))
                if digests[spec.name]:
                    settled.remember(spec, digests[spec.name])


def _restore(context: Context, task: str | None) -> Sidecar | None:
    """An earlier result, by key or by the digest of a settled task, copied to where it is to be published."""
    spec = context.spec
    record = store.restore(spec, context.out, context.progress)
    if record is None and task and (before := settled.as_before(spec, task)):
        record = store.restore(before, context.out, context.progress)
    return record


@contextmanager
def _locked(spec: Spec, progress: Callable[[str], None]) -> Iterator[None]:
    lock = FileLock(spec.state("locks").with_suffix(".lock"))
    Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress("another process works on this job; waiting for it")
        lock.acquire()
    with lock:
        yield


@contextmanager
def _staging(spec: Spec) -> Iterator[Path]:
    """An empty folder for the job's files, without what a copy that was killed left there."""
    staging = spec.state("staging")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=staging) as folder:
        yield Path(folder)


def _finish(spec: Spec, out: Path, record: Sidecar) -> None:
    publish.write_json(out / SIDECAR, record.model_dump(mode="json"))
    store.keep(spec, out)
    _publish(spec, out)
    shutil.rmtree(spec.state("training"), ignore_errors=True)  # its checkpoint has served


def _sidecar(spec: Spec, out: Path, clock: Clock) -> Sidecar:
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


class _Upstream:
    """What jobs read. Members of a cohort read the same files, and each is looked at once."""

    def __init__(self) -> None:
        self._whole: set[tuple[Path, str]] = set()

    def check(self, spec: Spec) -> None:
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
                if not self._is_whole(path, record.files.get(name)):
                    raise MimicError(
                        f"{path}: damaged, its digest is not the one in {upstream.sidecar}; remove it"
                    )

    def _is_whole(self, path: Path, file: FileRecord | None) -> bool:
        if file is None:
            return False
        if (path, file.md5) not in self._whole and identity.file_md5(path) == file.md5:
            self._whole.add((path, file.md5))
        return (path, file.md5) in self._whole


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
