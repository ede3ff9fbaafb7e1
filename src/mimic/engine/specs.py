"""Specs: what the main process tells each job, frozen before the first job starts.

A job reads its spec and never params.yaml, so an edit while jobs are queued can't mix in. A spec lies below
.mimic/specs under the path of the result that it asks for.
"""

import json
import os
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from mimic.dag.jobs import Job
from mimic.dag.steps import SIDECAR, STEPS
from mimic.dag.study import Study
from mimic.engine.keys import Keys
from mimic.engine.sidecar import is_fresh
from mimic.engine.state import STATE
from mimic.support.errors import MimicError
from mimic.support.frozen import Frozen

SPECS = STATE / "specs"


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
    task: dict  # all of it, places included
    asked: dict  # what the key holds of it
    code: dict[str, str]
    upstream: dict[str, Upstream]
    outputs: dict[str, Path]
    sidecar: Path
    stale_since: int | None = None  # ns; a content of its own, so that no recorded checksum matches it
    anew: str | None = None  # marks the call that asked, by MIMIC_RETRAIN=1, for a result made, not restored

    @property
    def title(self) -> str:
        """What the job is called where a person reads it."""
        return self.step if self.name == self.step else f"{self.step} {self.name}"

    def state(self, purpose: str) -> Path:
        """A path of this job's own for what is neither input nor result (locks, checkpoints, …)."""
        return STATE / self.study / purpose / self.step / self.name

    def typed_task(self) -> Frozen:
        """The task as the step knows it."""
        return STEPS[self.step].task.model_validate_json(json.dumps(self.task))


def load(function: str) -> Callable:
    """What `module:name` stands for."""
    module, _, name = function.partition(":")
    return getattr(import_module(module), name)


def spec_path(result: Path) -> Path:
    """Where the spec of a result lies, given the folder of the result."""
    return SPECS / result / SIDECAR


def make_spec(study: Study, job: Job, keys: Keys, mark: str | None = None) -> Spec:
    """The spec of one job, with what `anew` gives."""
    asked, code = keys.held(job)
    return Spec(
        study=study.name,
        step=job.step,
        name=job.name,
        key=keys[job],
        task=job.task.model_dump(mode="json"),
        asked=asked,
        code=code,
        upstream={
            up.id: Upstream(key=keys[up], sidecar=up.sidecar, files=job.inputs(up)) for up in job.upstream
        },
        outputs=job.outputs,
        sidecar=job.sidecar,
        anew=mark,
    )


def anew() -> str | None:
    """A mark, another at each call, for specs of results to be made anew; None without MIMIC_RETRAIN."""
    return str(time.time_ns()) if os.environ.get("MIMIC_RETRAIN") else None


def read_spec(result: Path) -> Spec:
    """The spec of a result. Raises MimicError when it is missing or not a spec."""
    path = spec_path(result)
    try:
        return Spec.model_validate_json(path.read_bytes())
    except OSError as error:
        raise MimicError(f"{path}: {error.strerror}; run snakemake, which writes the specs of jobs") from None
    except ValidationError:
        raise MimicError(f"{path}: not a job's spec; remove it and run snakemake, which writes it") from None


def stale_jobs(study: Study, keys: Keys) -> list[Job]:
    """The jobs whose result is missing or not the one asked for."""
    return [job for job in study.jobs() if not is_fresh(keys[job], job.sidecar, job.outputs)]
