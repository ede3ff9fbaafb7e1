"""What the files of a study tell of its jobs at one moment, whoever runs it. Nothing is written.

A job is done when its result has the key that the last snakemake asked for, by its spec; it is at work when a
process holds its lock. So neither code nor images are looked at, and another user's folder will do.
"""

import fcntl
import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from mimic.dag.jobs import Job
from mimic.dag.study import Study
from mimic.engine.specs import spec_path
from mimic.engine.state import STATE
from mimic.progress.accuracy import RECORDS, read_accuracy, read_epochs

HEAD = 1000  # bytes of a spec, among which its key is
TAIL = 2000  # bytes of a log, among which its last line is
LOGS = Path("logs")
_KEY = re.compile(rb'"key": "([0-9a-f]+)"')
_FAILED = re.compile(r"\S+ \S+ (?P<title>[^:]+): (failed|refused): (?P<what>.*)")


@dataclass(frozen=True)
class Finished:
    """What a job's sidecar tells of a result that is there."""

    began: float  # seconds since 1970
    seconds: float  # its share of its process
    cohort: int  # jobs that shared the process
    device: str
    accuracy: float | None
    benchmark: float = 0.0  # Snakemake's count of a process, its start included; of a restored result, less

    @property
    def ended(self) -> float:
        return self.began + self.seconds * self.cohort


@dataclass(frozen=True)
class AtWork:
    """A job whose process holds its lock; of a training, the epochs that it ended."""

    epochs: list[dict]

    @property
    def accuracy(self) -> float | None:
        """The best so far."""
        errors = [epoch["validation_error"] for epoch in self.epochs if "validation_error" in epoch]
        return 1 - min(errors) if errors else None

    @property
    def seconds(self) -> float:
        return sum(epoch.get("seconds") or 0.0 for epoch in self.epochs)


Found = dict[str, Finished | AtWork]  # by the id of a job; those left are absent


class Files:
    """The files of one study. What didn't change since the last look is not read again."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self._known: dict[Path, tuple[tuple, object]] = {}

    def look(self) -> Found:
        """What is done and what is at work."""
        return {
            job.id: found for job in self.study.jobs() if (found := self._finished(job) or self._at_work(job))
        }

    def failures(self, found: Found) -> list[str]:
        """What the logs of jobs that are neither done nor at work say last, if that is a failure."""
        told = [self._once(log, _last_line) for log in self._logs]
        left = {title_of(job) for job in self.study.jobs() if job.id not in found}
        failed = [match for line in told if line and (match := _FAILED.match(line))]
        return [f"{m['title']}: {m['what']}" for m in failed if m["title"].split(" and ")[0] in left]

    def idle_seconds(self) -> float | None:
        """Since any log was written."""
        written = [log.stat().st_mtime for log in self._logs]
        return max(0.0, time.time() - max(written)) if written else None

    @property
    def _logs(self) -> list[Path]:
        return [log for log in sorted((LOGS / self.study.name).rglob("*.log")) if log.name != "track.log"]

    @cached_property
    def _state(self) -> Path:
        return STATE / self.study.name

    def _finished(self, job: Job) -> Finished | None:
        found = self._once(job.sidecar, _read_sidecar)
        if found is None:
            return None
        key, finished = found
        if self._once(spec_path(job.folder), _read_key) not in (None, key):
            return None
        place = job.step if job.name == job.step else f"{job.step}/{job.name}"
        seconds = self._once(self._state / "benchmarks" / f"{place}.tsv", _read_benchmark)
        return replace(finished, benchmark=seconds or 0.0)

    def _at_work(self, job: Job) -> AtWork | None:
        if not _is_locked(self._state / "locks" / job.step / f"{job.name}.lock"):
            return None
        history = self._state / "training" / job.step / job.name / "history.jsonl"
        return AtWork(self._once(history, read_epochs) or [])

    def _once(self, path: Path, read: Callable[[Path], object]) -> object:
        """What `read` makes of a file, as long as the file is the same; None where it is missing."""
        try:
            status = path.stat()
        except OSError:
            return None
        state = status.st_mtime_ns, status.st_size, status.st_ino
        if self._known.get(path, (None,))[0] != state:
            self._known[path] = state, read(path)
        return self._known[path][1]


def title_of(job: Job) -> str:
    """What a job is called where a person reads it."""
    return job.step if job.name == job.step else f"{job.step} {job.name}"


def _read_sidecar(path: Path) -> tuple[str, Finished] | None:
    """The key of a result, and what there is to know of it."""
    try:
        content = json.loads(path.read_bytes())
        ran = content["provenance"]
        records = [path.with_name(name) for name in RECORDS if name in content["files"]]
        return content["key"], Finished(
            began=datetime.fromisoformat(ran["started"]).timestamp(),
            seconds=float(ran["seconds"]),
            cohort=int(ran.get("cohort") or 1),
            device=str(ran.get("device") or "cpu"),
            accuracy=read_accuracy(records[0]) if records else None,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _read_key(spec: Path) -> str | None:
    try:
        with open(spec, "rb") as file:
            found = _KEY.search(file.read(HEAD))
    except OSError:
        return None
    return found[1].decode() if found else None


def _read_benchmark(table: Path) -> float | None:
    """Seconds: the first column of the row below the head."""
    try:
        return float(table.read_text(encoding="utf-8").splitlines()[1].split("\t")[0])
    except (OSError, ValueError, IndexError):
        return None


def _last_line(log: Path) -> str | None:
    try:
        with open(log, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
            return file.read().decode(errors="replace").strip().rpartition("\n")[2]
    except OSError:
        return None


def _is_locked(path: Path) -> bool:
    """Whether a process, on whichever machine, holds a lock. Asking takes a moment and no right to write."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(descriptor)
    return False
