"""What MLflow should show of one training, read from its records."""

import re
from dataclasses import dataclass, replace

from mimic.dag.steps import SIDECAR
from mimic.engine.sidecar import Sidecar
from mimic.support.errors import MimicError
from mimic.tracking import records
from mimic.tracking.records import Epochs, Live, read_history, read_model
from mimic.tracking.trainings import TrackedTraining


@dataclass(frozen=True)
class Run:
    """What MLflow should show of one training."""

    status: str  # "RUNNING", "FINISHED" or "FAILED"
    began_ms: int
    ended_ms: int  # of a live run: when its history was last written
    tags: dict[str, str | None]
    parameters: dict[str, str]
    metrics: dict[str, float]  # of the whole training
    epochs: Epochs
    left_out: list[str]  # one sentence for each line of its history that is malformed

    @property
    def epoch_ms(self) -> dict[int, int]:
        """When each epoch ended, counted back from the end by the seconds that each took."""
        times, ended_ms = {}, self.ended_ms
        for epoch in reversed(self.epochs):
            times[epoch] = ended_ms
            ended_ms -= round(1000 * self.epochs[epoch].get("seconds", 0))
        return times


def read_run(training: TrackedTraining) -> Run:
    """The records of a training.

    Raises MimicError when a record is malformed or is not the one that was published.
    """
    run = (_finished if training.finished else _live)(training, training.identity)
    parameters = dict(run.parameters)
    tags = run.tags | {
        "mimic.study": training.results.name,
        "mimic.step": training.step,
        "mimic.variant": training.variant,
        "mimic.family": parameters.get("family", "teacher"),
        "mimic.budget": parameters.get("budget"),
        "mimic.arm": parameters.get("arm"),
        "mimic.seed": parameters.get("repetition", parameters.get("teacher.seed")),
        "mimic.net": parameters.pop("net"),
        "mimic.key": training.key,
        "mimic.current": "yes",
        "mlflow.source.name": f"mimic {training.step}",
    }
    if training.step == "trial":
        place, searched = _search(training)
        tags, parameters = tags | place, searched or parameters
    return replace(
        run,
        began_ms=min([run.began_ms, *run.epoch_ms.values()]),
        tags={name: value for name, value in tags.items() if value is not None},
        parameters=parameters,
    )


_OWN_NAMES = {  # of the metrics of a whole training, where an epoch has one of the same name
    "validation_loss": "final_validation_loss",
    "seconds": "training_seconds",
    "images_per_second": "training_images_per_second",
}


def _finished(training: TrackedTraining, sidecar: Sidecar) -> Run:
    folder = training.folder
    record = read_model(folder / "record.json", records.TrainingRecord, sidecar)
    kinds = ("teacher", "student") if training.step == "trial" else (training.step,)
    if record.kind not in kinds or record.name != training.variant:
        raise MimicError(f"{folder}/record.json: is that of {record.kind} {record.name}, not of {training}")
    ran = records.read_provenance(folder / SIDECAR, sidecar)
    tags = {
        "mimic.stop": record.stop,
        "mimic.commit": f"{ran.commit}-dirty" if ran.commit and ran.dirty else ran.commit,
        "mlflow.source.git.commit": ran.commit,
        "mimic.slurm_job": ran.slurm_job,
        "mimic.reason": record.reason,
    }
    metrics = {_OWN_NAMES.get(name, name): value for name, value in record.metrics.items()}
    status = "FINISHED" if record.status == "finished" else "FAILED"
    told = read_history(folder / "history.jsonl", sidecar)
    return Run(status, ran.started_ms, ran.ended_ms, tags, record.hyperparameters, metrics, *told)


def _live(training: TrackedTraining, identity: Live) -> Run:
    history = training.folder / "history.jsonl"
    begun = history.exists()
    try:
        written_ms = (history if begun else history.with_name("live.json")).stat().st_mtime_ns // 1_000_000
    except OSError as error:
        raise MimicError(f"{training.folder}: can not be read: {error.strerror}") from None
    tags, metrics = {"mimic.slurm_job": identity.slurm_job}, {"parameters": float(identity.parameters)}
    told = read_history(history) if begun else ({}, [])
    return Run("RUNNING", written_ms, written_ms, tags, identity.hyperparameters, metrics, *told)


_TRIAL = re.compile(r"(?P<search>.+)-(?P<round>r\d+)-t(?P<index>\d+)")


def _search(trial: TrackedTraining) -> tuple[dict[str, str], dict[str, str]]:
    """The tags that place a trial in its search, and the parameters that were searched.

    These alone are shown, so that every parameter that MLflow offers to compare the trials by is one in
    which they differ. Without its proposal nobody knows which these are: none are given.
    """
    place = _TRIAL.fullmatch(trial.variant)
    if place is None:
        raise MimicError(f"{trial.folder}: is not named as a trial is, such as conv2-1M-logits-r01-t03")
    index = int(place["index"])
    tags = {
        "mimic.search": place["search"],
        "mimic.round": str(int(place["round"][1:])),
        "mimic.trial": str(index),
    }
    for models in ("teachers", "students"):
        path = trial.results / models / "searches" / place["search"] / place["round"] / SIDECAR
        if not path.exists():
            continue
        sidecar = read_model(path, Sidecar)
        if trial.finished and trial.identity.upstream.get(f"proposal/{sidecar.name}") != sidecar.key:
            continue  # another proposal has taken the place of the one that asked for it
        proposal = read_model(path.with_name("proposal.json"), records.ProposedPoints, sidecar)
        if 1 <= index <= len(proposal.points):
            tags |= {"mimic.algorithm": proposal.algorithm, "mimic.origin": proposal.origins[index - 1]}
            return tags, proposal.points[index - 1]
    return tags, {}
