"""Specs: what the main process tells each job, frozen before the first job starts.

A job reads its spec and never params.yaml, so an edit while jobs are queued can't mix in. Specs are
also how Snakemake's one trigger, file dates, is made to follow the keys: a stale job's spec is dated
after its outputs, a fresh job's long before them. See docs/identity.md.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from mimic.core import identity, publish
from mimic.core.cohorts import Cohort, Cohorts
from mimic.core.errors import MimicError
from mimic.core.identity import Keys
from mimic.core.jobs import Job
from mimic.core.study import Study

STATE = Path(".mimic")  # everything here can be deleted: it costs time, never results
LONG_AGO = 946_684_800  # 2000-01-01, seconds since 1970


class Upstream(BaseModel):
    """A job whose files another reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    key: str
    sidecar: Path
    files: dict[str, Path]


class Spec(BaseModel):
    """Everything that a job is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    study: str
    step: str
    name: str
    key: str
    task: dict
    code: dict[str, str]
    upstream: dict[str, Upstream]
    outputs: dict[str, Path]
    sidecar: Path
    stale_since: int | None = None  # ns; a content of its own, so that no recorded checksum matches it

    @property
    def title(self) -> str:
        """What the job is called where a person reads it."""
        return self.step if self.name == self.step else f"{self.step} {self.name}"

    def state(self, purpose: str) -> Path:
        """A path of this job's own for what is neither input nor result (locks, checkpoints, …)."""
        return STATE / self.study / purpose / self.step / self.name


def spec_path(study: str, step: str, name: str) -> Path:
    """Where the spec of a job lies."""
    return STATE / study / "specs" / step / f"{name}.json"


def make_spec(study: str, job: Job, keys: Keys) -> Spec:
    """The spec of one job."""
    return Spec(
        study=study,
        step=job.step,
        name=job.name,
        key=keys[job],
        task=identity.task_json(job),
        code=identity.code(job.step),
        upstream={
            up.id: Upstream(key=keys[up], sidecar=up.sidecar, files=job.inputs(up)) for up in job.upstream
        },
        outputs=job.outputs,
        sidecar=job.sidecar,
    )


def read_spec(path: Path) -> Spec:
    """The spec at `path`. Raises MimicError when it is missing or not a spec."""
    try:
        return Spec.model_validate_json(Path(path).read_bytes())
    except (OSError, ValidationError) as error:
        raise MimicError(f"{path}: not a job's spec ({error}); run snakemake to write it") from None


def stale_jobs(study: Study, keys: Keys) -> list[Job]:
    """The jobs whose result is missing or not the one asked for."""
    return [job for job in study.jobs() if not identity.is_fresh(keys[job], job.sidecar, job.outputs)]


def record_path(study: str, cohort: Cohort) -> Path:
    """Where the record lies that says that a cohort is done."""
    return STATE / study / "done" / cohort.step / f"{cohort.name}.json"


def write_record(path: Path, keys: Mapping[str, str]) -> None:
    """Publish the record of a cohort: the key of each member, by name."""
    publish.write_text(path, json.dumps(dict(sorted(keys.items())), indent=1) + "\n", durable=False)


def write_specs(study: Study, keys: Keys) -> None:
    """Bring every job's spec, and the dates that Snakemake compares, in step with the keys."""
    stale = {job.id for job in stale_jobs(study, keys)}
    cohorts = Cohorts(study)
    for job in study.jobs():
        cohort = cohorts.of(job)
        outputs = [record_path(study.name, cohort)] if cohort else job.files
        _write_spec(make_spec(study.name, job, keys), job.id in stale, outputs)
        if job.id not in stale:
            _date(job.sidecar, _date_of(job.sidecar, job.depth))
    for cohort in cohorts.all():
        if not stale.intersection(job.id for job in cohort.members):
            record = record_path(study.name, cohort)
            write_record(record, {job.name: keys[job] for job in cohort.members})
            _date(record, _date_of(record, cohort.depth))


def _write_spec(spec: Spec, is_stale: bool, outputs: list[Path]) -> None:
    """A stale job's spec is newer than its `outputs`, which are what Snakemake knows of it."""
    path = spec_path(spec.study, spec.step, spec.name)
    present = [file for file in outputs if file.exists()]
    date = LONG_AGO
    if is_stale and present:
        spec = spec.model_copy(update={"stale_since": _stale_since(path, spec)})
        date = min(file.lstat().st_mtime for file in present) + 1
    text = spec.model_dump_json(indent=1) + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        publish.write_text(path, text, durable=False)
    os.utime(path, (date, date))


def _stale_since(path: Path, spec: Spec) -> int:
    """When this job became stale; kept while nothing else changes, so that its spec isn't rewritten."""
    try:
        known = Spec.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return time.time_ns()
    same = known.stale_since and known.model_copy(update={"stale_since": None}) == spec
    return known.stale_since if same else time.time_ns()


def _date_of(path: Path, depth: int) -> float:
    """A date for a file whose job ends a chain of `depth` jobs.

    Never newer than a result downstream, and another for another content: git and DVC take a file of
    known inode, size and date for unchanged without reading it, so a constant date would hide changes.
    """
    content = int(hashlib.sha256(path.read_bytes()).hexdigest()[:12], 16)
    return LONG_AGO + depth * 10**5 + (content % 10**11) / 10**6


def _date(path: Path, date: float) -> None:
    status = path.lstat()
    if abs(status.st_mtime - date) < 1e-5 and not path.is_symlink():
        return
    if path.is_symlink() or status.st_nlink > 1:  # a link into a cache: the date is to be ours alone
        with publish.atomic_path(path) as aside:
            shutil.copyfile(path, aside)
            os.utime(aside, (date, date))
    else:
        os.utime(path, (date, date))


def load_task(spec: Spec, task_type):
    """The typed task of a spec (JSON has lists where the types have tuples)."""
    return task_type.model_validate_json(json.dumps(spec.task))
