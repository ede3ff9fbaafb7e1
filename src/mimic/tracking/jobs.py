"""The trainings of one study as its files tell them: which there are, and what MLflow should show of each."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from mimic.core.errors import MimicError
from mimic.tracking.records import (
    Epochs,
    Live,
    Measures,
    Result,
    Sidecar,
    flatten,
    read_history,
    read_measures,
    read_model,
)

RESULT_FOLDERS = {"teacher": "teachers", "student": "students"}


@dataclass(frozen=True)
class Job:
    """A training that is finished or under way, known by its key; its records are not read yet."""

    study: str
    step: str  # "teacher" or "student"
    variant: str
    folder: Path
    identity: Sidecar | Live
    size: int  # bytes of its history, which grows while it trains

    @property
    def key(self) -> str:
        return self.identity.key

    @property
    def finished(self) -> bool:
        return isinstance(self.identity, Sidecar)

    def __str__(self) -> str:
        return f"{self.step} {self.variant}"


@dataclass(frozen=True)
class Evaluation:
    """The test metrics, and the models that they were measured on."""

    key: str
    upstream: dict[str, str]
    measures: Measures

    def of(self, job: Job) -> dict[str, float]:
        """The test metrics of this very training; none if another one was evaluated under its name."""
        known = self.upstream.get(f"{job.step}/{job.variant}") == job.key
        return self.measures.get((job.step, job.variant), {}) if known else {}


@dataclass
class Files:
    """All that the files of a study tell at one moment."""

    study: str
    jobs: list[Job] = field(default_factory=list)
    evaluation: Evaluation | None = None
    unreadable: set[tuple[str, str]] = field(default_factory=set)  # (step, variant)
    complaints: list[str] = field(default_factory=list)  # one sentence each, naming a file

    @property
    def keys(self) -> dict[tuple[str, str], str]:
        """The key under which the files hold each (step, variant)."""
        return {(job.step, job.variant): job.key for job in self.jobs}


def scan(results: Path, live: Path) -> Files:
    """The trainings below `results` (results/<study>) and `live` (.mimic/<study>/training).

    A finished training hides a live one of the same name: what trains anew has no result yet.
    """
    files = Files(study=results.name)
    for step, plural in RESULT_FOLDERS.items():
        finished = _jobs(files, step, results / plural, "job.json", Sidecar)
        running = _jobs(files, step, live / step, "live.json", Live)
        files.jobs += (running | finished).values()
    files.evaluation = _evaluation(files, results / "evaluation")
    return files


def _jobs(
    files: Files, step: str, parent: Path, identity: str, model: type[Sidecar | Live]
) -> dict[str, Job]:
    """The jobs below `parent`, by name; what can not be read is noted in `files`."""
    jobs = {}
    for path in sorted(parent.glob(f"[!.]*/{identity}")):
        variant = path.parent.name
        try:
            known = read_model(path, model)
            if (known.study, known.name) != (files.study, variant):
                raise MimicError(
                    f"{path}: belongs to {known.study}/{known.name}, not to {files.study}/{variant}"
                )
            size = _size(path.parent / "history.jsonl")
            jobs[variant] = Job(files.study, step, variant, path.parent, known, size)
        except MimicError as error:
            if path.exists():  # else it finished a moment ago, and took its live folder away
                files.unreadable.add((step, variant))
                files.complaints.append(str(error))
    return jobs


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _evaluation(files: Files, folder: Path) -> Evaluation | None:
    path = folder / "job.json"
    if not path.exists():
        return None
    try:
        sidecar = read_model(path, Sidecar)
        measures, left_out = read_measures(folder / "models.csv", sidecar)
    except MimicError as error:
        files.complaints.append(str(error))
        return None
    files.complaints += left_out
    return Evaluation(sidecar.key, sidecar.upstream, measures)


@dataclass(frozen=True)
class Run:
    """What MLflow should show of one training."""

    status: str  # "RUNNING", "FINISHED" or "FAILED"
    started_ms: int
    ended_ms: int  # of a live run: when its history was last written
    tags: dict[str, str]
    parameters: dict[str, str]
    epochs: Epochs
    epoch_ms: dict[int, int]  # when each epoch ended
    metrics: dict[str, float]  # of the whole training


def read_run(job: Job) -> tuple[Run, list[str]]:
    """The records of a job, and one sentence for each line of its history that was left out.

    Raises MimicError when a record is malformed or is not the one that was published.
    """
    return _finished(job, job.identity) if job.finished else _live(job, job.identity)


_OWN_NAMES = {  # of the metrics of a whole training, where an epoch has one of the same name
    "validation_loss": "final_validation_loss",
    "seconds": "training_seconds",
    "images_per_second": "training_images_per_second",
}
_FINAL_METRICS = (
    "parameters",
    "multiply_adds",
    "epochs",
    "best_epoch",
    "validation_accuracy",
    "validation_loss",
    "seconds",
    "images_per_second",
    "training_flops",
)


def _finished(job: Job, sidecar: Sidecar) -> tuple[Run, list[str]]:
    result = read_model(job.folder / "record.json", Result, sidecar)
    if (result.kind, result.name) != (job.step, job.variant):
        raise MimicError(f"{job.folder}/record.json: is that of {result.kind} {result.name}, not of {job}")
    epochs, left_out = read_history(job.folder / "history.jsonl", sidecar)
    ran = sidecar.provenance
    epoch_ms = _epoch_ms(epochs, ran.ended_ms)
    tags = _tags(job, result.family, result.budget, result.arm, result.seed) | {
        "mimic.commit": f"{ran.commit}-dirty" if ran.commit and ran.dirty else ran.commit,
        "mlflow.source.git.commit": ran.commit,
        "mimic.slurm_job": ran.slurm_job,
        "mimic.reason": result.reason,
    }
    values = {name: getattr(result, name) for name in _FINAL_METRICS}
    run = Run(
        status="FINISHED" if result.status == "finished" else "FAILED",
        started_ms=min([ran.started_ms, *epoch_ms.values()]),
        ended_ms=ran.ended_ms,
        tags=_given(tags),
        parameters=flatten(result.hyperparameters),
        epochs=epochs,
        epoch_ms=epoch_ms,
        metrics={
            _OWN_NAMES.get(name, name): float(value) for name, value in values.items() if value is not None
        },
    )
    return run, left_out


_STUDENT = re.compile(r"(?P<family>[^-]+)-(?P<budget>[^-]+)-(?P<arm>[^-]+)-s(?P<seed>\d+)")


def _live(job: Job, identity: Live) -> tuple[Run, list[str]]:
    history = job.folder / "history.jsonl"
    try:
        written_ms = (
            history if history.exists() else job.folder / "live.json"
        ).stat().st_mtime_ns // 1_000_000
        epochs, left_out = read_history(history) if history.exists() else ({}, [])
    except OSError as error:
        raise MimicError(f"{job.folder}: can not be read: {error.strerror}") from None
    epoch_ms = _epoch_ms(epochs, written_ms)
    student = _STUDENT.fullmatch(job.variant)
    parts = student.groupdict() if student else {}
    family = parts.get("family") or (job.step if job.step == "teacher" else None)
    tags = _tags(job, family, parts.get("budget"), parts.get("arm"), parts.get("seed"))
    run = Run(
        status="RUNNING",
        started_ms=min([written_ms, *epoch_ms.values()]),
        ended_ms=written_ms,
        tags=_given(tags | {"mimic.slurm_job": identity.slurm_job}),
        parameters=flatten(identity.hyperparameters),
        epochs=epochs,
        epoch_ms=epoch_ms,
        metrics={"parameters": float(identity.parameters)},
    )
    return run, left_out


def _tags(job: Job, family: str | None, budget: str | None, arm: str | None, seed: int | str | None) -> dict:
    return {
        "mimic.study": job.study,
        "mimic.step": job.step,
        "mimic.variant": job.variant,
        "mimic.family": family,
        "mimic.budget": budget,
        "mimic.arm": arm,
        "mimic.seed": None if seed is None else str(seed),
        "mimic.key": job.key,
        "mimic.current": "yes",
        "mlflow.source.name": f"mimic {job.step}",
    }


def _given(tags: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in tags.items() if value is not None}


def _epoch_ms(epochs: Epochs, ended_ms: int) -> dict[int, int]:
    """When each epoch ended, counted back from the end by the seconds that each took."""
    times = {}
    for epoch in reversed(epochs):
        times[epoch] = ended_ms
        ended_ms -= round(1000 * epochs[epoch].get("seconds", 0))
    return times
