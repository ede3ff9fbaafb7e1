"""Run jobs: lock, check what they read, restore or compute aside, publish whole."""

import errno
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache, partial
from pathlib import Path

from filelock import FileLock, Timeout

from mimic.dag.steps import SIDECAR, STEPS, Step
from mimic.engine import image_content, store
from mimic.engine.keys import code_of
from mimic.engine.provenance import Clock
from mimic.engine.sidecar import FileRecord, Sidecar, file_md5, is_fresh, read_sidecar
from mimic.engine.specs import Spec, load
from mimic.engine.state import LOG_ALONE
from mimic.support import publish
from mimic.support.context import Context
from mimic.support.errors import MimicError

Progress = Callable[[str], None]


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
            if LOG_ALONE in os.environ:
                return
        with suppress(OSError):  # nobody listens any more: a killed srun, a closed terminal
            print(f"{self.job}: {text}", file=sys.stderr, flush=True)


def run(specs: Sequence[Spec], threads: int, log: Path | None = None) -> None:
    """Produce the results of `specs`, jobs of one step; those that are there already cost nothing.

    Raises MimicError when a job can't start; what the step raises passes through, and nothing of the
    jobs that failed is published. Two copies of one job at once (an orphan after a node failure, and its
    successor) are safe: the second waits for the first and adopts its result. A result is published as
    soon as it is whole, whatever becomes of the others.
    """
    step = STEPS[specs[0].step]
    progress = {spec.name: Reporter(spec.title, log) for spec in specs}
    with ExitStack() as held:
        # Everybody locks in the same order, so that no two cohorts can wait for one another.
        for spec in sorted(specs, key=lambda spec: spec.name):
            held.enter_context(_locked(spec, progress[spec.name]))
        upstream, todo, settled = _Upstream(), {}, {}
        for spec in specs:
            say = progress[spec.name]
            if _is_done(spec):
                store.keep_what_is_there(spec.sidecar, spec.outputs)
                say("already there")
                continue
            _check_unchanged(spec)
            upstream.check(spec)
            context = _context(spec, held.enter_context(_staging(spec)), threads, say)
            settle = cache(partial(_settled, step, context))  # what needs torch is loaded only if it must be
            if not spec.anew and (record := store.restore(spec, context.out, settle, say)):
                say(f"restored the result with key {record.key}")
                _finish(spec, context.out, record)
            else:
                todo[spec.name] = spec, context
                settled[spec.name] = settle()
        if todo:
            clock = Clock(threads, len(todo))
            for context in _work(step, [context for _, context in todo.values()]):
                spec, _ = todo[context.name]
                _finish(spec, context.out, _sidecar(spec, context.out, clock))
                if settled[spec.name]:
                    store.remember(spec, settled[spec.name])


def _is_done(spec: Spec) -> bool:
    """Whether the result is there; one to be made anew only if it was, in an earlier attempt at this spec."""
    if not is_fresh(spec.key, spec.sidecar, spec.outputs):
        return False
    return not spec.anew or read_sidecar(spec.sidecar).provenance.get("anew") == spec.anew


def _settled(step: Step, context: Context) -> dict | None:
    return load(step.settled)(context) if step.settled else None


def _context(spec: Spec, out: Path, threads: int, progress: Progress) -> Context:
    return Context(
        task=spec.typed_task(),
        out=out,
        inputs={job: upstream.sidecar.parent for job, upstream in spec.upstream.items()},
        name=spec.name,
        training=spec.state("training"),
        threads=threads,
        progress=progress,
        identity={"key": spec.key, "study": spec.study, "step": spec.step},
    )


def _work(step: Step, contexts: list[Context]) -> Iterator[Context]:
    """Each context as soon as its files are there."""
    work = load(step.function)
    if step.shared:
        yield from work(contexts)
        return
    for context in contexts:
        work(context)
        yield context


@contextmanager
def _locked(spec: Spec, progress: Progress) -> Iterator[None]:
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
    staging.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=staging) as folder:
        yield Path(folder)
    with suppress(OSError):  # what another person's copy left stays
        staging.rmdir()


def _finish(spec: Spec, out: Path, record: Sidecar) -> None:
    publish.write_json(out / SIDECAR, record.model_dump(mode="json"))
    store.keep(record, {name: out / name for name in spec.outputs})
    _publish(spec, out)
    shutil.rmtree(spec.state("training"), ignore_errors=True)  # its checkpoint has served


def _sidecar(spec: Spec, out: Path, clock: Clock) -> Sidecar:
    files = {}
    for name in spec.outputs:
        if not (out / name).is_file():
            raise RuntimeError(f"{spec.step} {spec.name}: the step did not write {name}")
        files[name] = FileRecord(md5=file_md5(out / name), size=(out / name).stat().st_size)
    return Sidecar(
        step=spec.step,
        name=spec.name,
        study=spec.study,
        key=spec.key,
        parameters=spec.asked,
        code=spec.code,
        upstream={job: up.key for job, up in spec.upstream.items()},
        files=files,
        provenance=clock.provenance() | ({"anew": spec.anew} if spec.anew else {}),
    )


def _check_unchanged(spec: Spec) -> None:
    """Raise MimicError when code or images changed since the spec was written: its key is not true then."""
    now = code_of(spec.step, spec.typed_task())
    if changed := sorted(name for name, known in spec.code.items() if now.get(name) != known):
        raise MimicError(f"{', '.join(changed)}: edited since snakemake started; call snakemake again")
    if spec.step == "data":
        images = image_content.digest(spec.typed_task().data, anew=True)
        if images != spec.asked.get("content"):
            path = spec.task["data"]["path"]
            raise MimicError(f"{path}: changed since snakemake started; call snakemake again")


class _Upstream:
    """What jobs read. Members of a cohort read the same files, and each is looked at once."""

    def __init__(self) -> None:
        self._whole: set[tuple[Path, str]] = set()

    def check(self, spec: Spec) -> None:
        """Raise MimicError when a file that the job reads is not the one that its key was made from."""
        for job, upstream in spec.upstream.items():
            record = read_sidecar(upstream.sidecar)
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
        if (path, file.md5) not in self._whole and file_md5(path) == file.md5:
            self._whole.add((path, file.md5))
        return (path, file.md5) in self._whole


def _publish(spec: Spec, out: Path) -> None:
    """Move a result into place, its sidecar last: without it there is no result."""
    spec.sidecar.parent.mkdir(parents=True, exist_ok=True)
    spec.sidecar.unlink(missing_ok=True)
    for name, target in [*spec.outputs.items(), (SIDECAR, spec.sidecar)]:
        target.parent.mkdir(parents=True, exist_ok=True)
        publish.renew(out / name)  # Snakemake wants outputs newer than the job's start, also restored ones
        publish.sync_file(out / name)
        try:
            os.replace(out / name, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            with publish.atomic_path(target) as aside:  # results on another file system
                shutil.copyfile(out / name, aside)
        publish.sync_folder(target.parent)
