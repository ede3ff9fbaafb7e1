"""What MLflow should show of one training, read from its records."""

import re
from dataclasses import dataclass, replace

from mimic.core.errors import MimicError
from mimic.core.jobs import SIDECAR
from mimic.tracking.jobs import Job
from mimic.tracking.records import (
    Epochs,
    Live,
    Proposal,
    Result,
    Sidecar,
    flatten,
    read_history,
    read_model,
)


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
    run, left_out = _finished(job, job.identity) if job.finished else _live(job, job.identity)
    return _in_search(run, job) if job.step == "trial" else run, left_out


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
    kinds = ("teacher", "student") if job.step == "trial" else (job.step,)
    if result.kind not in kinds or result.name != job.variant:
        raise MimicError(f"{job.folder}/record.json: is that of {result.kind} {result.name}, not of {job}")
    epochs, left_out = read_history(job.folder / "history.jsonl", sidecar)
    ran = sidecar.provenance
    epoch_ms = _epoch_ms(epochs, ran.ended_ms)
    tags = _tags(job, result.family, result.budget, result.arm, result.seed) | {
        "mimic.stop": result.stop,
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


_STUDENT = re.compile(
    r"(?P<family>[^-]+)-(?P<budget>[^-]+)-(?P<arm>[^-]+)(-s(?P<seed>\d+)|(-[a-z]+)?-r\d+-t\d+)"
)  # or the trial of a search for one


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
    family = parts.get("family", "teacher" if job.step != "student" else None)
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


_TRIAL = re.compile(r"(?P<search>.+)-r(?P<round>\d+)-t(?P<index>\d+)")


def _in_search(run: Run, job: Job) -> Run:
    """A trial's run, with its place in the search and no parameters but those that were searched.

    So every parameter that MLflow offers to compare the trials by is one in which they differ. Without
    its proposal, nobody knows which these are, and all of them stay.
    """
    place = _TRIAL.fullmatch(job.variant)
    if place is None:
        raise MimicError(f"{job.folder}: is not named as a trial is, such as conv2-1M-logits-r01-t03")
    index = int(place["index"])
    tags = {
        "mimic.search": place["search"],
        "mimic.round": str(int(place["round"])),
        "mimic.trial": str(index),
    }
    parameters = run.parameters
    proposal = _proposal(job)
    if proposal and 1 <= index <= len(proposal.points):
        tags |= {"mimic.algorithm": proposal.algorithm, "mimic.origin": proposal.origins[index - 1]}
        parameters = flatten(proposal.points[index - 1])
    return replace(run, tags=run.tags | tags, parameters=parameters)


def _proposal(job: Job) -> Proposal | None:
    """What asked for a trial, if it is still there: another proposal may have taken its place."""
    if job.round is None or not (job.round / SIDECAR).exists():
        return None
    sidecar = read_model(job.round / SIDECAR, Sidecar)
    if job.finished and job.identity.upstream.get(f"proposal/{sidecar.name}") != sidecar.key:
        return None
    return read_model(job.round / "proposal.json", Proposal, sidecar)


def _given(tags: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in tags.items() if value is not None}


def _epoch_ms(epochs: Epochs, ended_ms: int) -> dict[int, int]:
    """When each epoch ended, counted back from the end by the seconds that each took."""
    times = {}
    for epoch in reversed(epochs):
        times[epoch] = ended_ms
        ended_ms -= round(1000 * epochs[epoch].get("seconds", 0))
    return times
