"""What MLflow should show of one training, or of the ensemble, read from its records."""

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from mimic.dag.steps import SIDECAR
from mimic.engine.sidecar import Sidecar
from mimic.support.errors import MimicError
from mimic.tracking import records
from mimic.tracking.records import Epochs, Live, percent, read_history, read_model
from mimic.tracking.trainings import IMAGES, TrackedTraining


@dataclass(frozen=True)
class ImageSplit:
    """Images that a run has read."""

    label: str
    split: str  # "training", "validation" or "test"
    md5: str
    source: str  # JSON: where they lie
    counts: str  # JSON: how many they are


@dataclass(frozen=True)
class Run:
    """What MLflow should show of one training."""

    status: str  # "RUNNING", "FINISHED" or "FAILED"
    began_ms: int
    ended_ms: int  # of a live run: when its history was last written
    tags: dict[str, str | None]
    parameters: dict[str, str]
    metrics: dict[str, float] = field(default_factory=dict)  # of the whole training
    epochs: Epochs = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)  # one sentence for each malformed line of its history
    images: list[ImageSplit] = field(default_factory=list)
    model: dict[str, str] | None = None  # what is told of the model that it left

    @property
    def epoch_ms(self) -> dict[int, int]:
        """When each epoch ended, counted back from the end by the seconds that each took."""
        times, ended_ms = {}, self.ended_ms
        for epoch in reversed(self.epochs):
            times[epoch] = ended_ms
            ended_ms -= round(1000 * self.epochs[epoch].get("training/seconds", 0))
        return times


def read_run(training: TrackedTraining) -> Run:
    """The records of a training.

    Raises MimicError when a record is malformed or is not the one that was published.
    """
    run = _READERS.get(training.step, _trained)(training, training.identity)
    parameters = dict(run.parameters)
    tags = run.tags | {
        "mimic.study": training.results.name,
        "mimic.step": training.step,
        "mimic.variant": training.variant,
        "mimic.family": parameters.get("family", training.step if training.step == "ensemble" else "teacher"),
        "mimic.budget": parameters.get("budget"),
        "mimic.arm": parameters.get("arm"),
        "mimic.seed": parameters.get("repetition", parameters.get("teacher.seed")),
        "mimic.net": parameters.pop("net", None),
        "mimic.key": training.key,
        "mimic.current": "yes",
        "mlflow.source.name": f"mimic {training.step}",
    }
    tags["mlflow.note.content"] = _note(training, tags, parameters)
    if training.step == "trial":
        place, searched = _search(training)
        tags, parameters = tags | place, searched or parameters
    return replace(
        run,
        began_ms=min([run.began_ms, *run.epoch_ms.values()]),
        tags={name: value for name, value in tags.items() if value is not None},
        parameters=parameters,
    )


def read_images(results: Path, key: str | None, *splits: str) -> list[ImageSplit]:
    """Some splits of the images with this key; none where they are not here. Raises MimicError."""
    path = results / "data" / SIDECAR
    sidecar = read_model(path, Sidecar) if key and path.exists() else None
    if sidecar is None or sidecar.key != key:
        return []
    images = read_model(path.with_name("data.json"), records.ImagesRecord, sidecar)
    found = []
    for split in splits:
        name = split.removesuffix("ing")  # the images for training are in train.safetensors
        file = path.with_name(f"{name}.safetensors")
        if file.name in sidecar.files and name in images.counts:
            where, count = json.dumps({"uri": str(file)}), json.dumps({"num_rows": images.counts[name]})
            found.append(ImageSplit(images.source, split, sidecar.files[file.name].md5, where, count))
    return found


def began_ms(training: TrackedTraining) -> int:
    """When the process of a training began; of a live one, when it was last said to train."""
    path = training.folder / (SIDECAR if training.finished else "live.json")
    if training.finished:
        return records.read_provenance(path, training.identity).started_ms
    try:
        return path.stat().st_mtime_ns // 1_000_000
    except OSError as error:
        raise MimicError(f"{path}: can not be read: {error.strerror}") from None


def _trained(training: TrackedTraining, identity: Sidecar | Live) -> Run:
    run = _finished(training, identity) if training.finished else _live(training, identity)
    return replace(run, epochs={epoch: _named(metrics) for epoch, metrics in run.epochs.items()})


def _named(metrics: dict[str, float]) -> dict[str, float]:
    """Accuracy first, in percent; what else a history tells is kept together, so that charts of it are."""
    named = {}
    if "validation_error" in metrics:
        named["validation_accuracy"] = percent(1 - metrics["validation_error"])
    rest = {name: value for name, value in metrics.items() if name != "validation_error"}
    return named | {f"training/{name.removeprefix('train_')}": value for name, value in rest.items()}


def _finished(training: TrackedTraining, sidecar: Sidecar) -> Run:
    folder = training.folder
    record = read_model(folder / "record.json", records.TrainingRecord, sidecar)
    kinds = ("teacher", "student") if training.step == "trial" else (training.step,)
    if record.kind not in kinds or record.name != training.variant:
        raise MimicError(f"{folder}/record.json: is that of {record.kind} {record.name}, not of {training}")
    tags = {
        "mimic.stop": record.stop,
        "mimic.epochs": str(record.epochs),
        "mimic.best_epoch": None if record.best_epoch is None else str(record.best_epoch),
        "mimic.reason": record.reason,
    }
    constants = {name: getattr(record, name) for name in ("parameters", "multiply_adds", "training_flops")}
    told = {name: f"{value:.0f}" for name, value in constants.items() if value is not None}
    metrics = {}
    if record.validation_accuracy is not None:
        metrics["best_validation_accuracy"] = percent(record.validation_accuracy)
    if record.seconds is not None:
        metrics["training/seconds_in_all"] = record.seconds
    finished = record.status == "finished"
    run = _ran(training, sidecar, "FINISHED" if finished else "FAILED")
    epochs, left_out = read_history(folder / "history.jsonl", sidecar)
    return replace(
        run,
        tags=run.tags | tags,
        parameters=record.hyperparameters | told,
        metrics=metrics,
        epochs=epochs,
        left_out=left_out,
        images=read_images(training.results, sidecar.upstream.get(IMAGES), "training", "validation"),
        model=_model(training, sidecar, "model.safetensors") if finished else None,
    )


def _live(training: TrackedTraining, identity: Live) -> Run:
    history = training.folder / "history.jsonl"
    start_ms = written_ms = began_ms(training)
    epochs, left_out = {}, []
    if history.exists():
        epochs, left_out = read_history(history)
        written_ms = max(start_ms, history.stat().st_mtime_ns // 1_000_000)
    tags = {"mimic.slurm_job": identity.slurm_job}
    told = identity.hyperparameters | {"parameters": str(identity.parameters)}
    return Run("RUNNING", start_ms, written_ms, tags, told, epochs=epochs, left_out=left_out)


def _ensemble(training: TrackedTraining, sidecar: Sidecar) -> Run:
    record = read_model(training.folder / "ensemble.json", records.EnsembleRecord, sidecar)
    accuracy = record.trace[-1].get("accuracy") if record.trace else None
    return replace(
        _ran(training, sidecar, "FINISHED"),
        parameters={"members": ", ".join(record.members), "candidates": str(len(record.candidates))},
        metrics={"best_validation_accuracy": percent(accuracy)} if isinstance(accuracy, float) else {},
        images=read_images(training.results, sidecar.upstream.get(IMAGES), "validation"),
        model=_model(training, sidecar, "members.safetensors"),
    )


_READERS = {"ensemble": _ensemble}


def _ran(training: TrackedTraining, sidecar: Sidecar, status: str) -> Run:
    """When and from what a result was made."""
    ran = records.read_provenance(training.folder / SIDECAR, sidecar)
    tags = {
        "mimic.commit": f"{ran.commit}-dirty" if ran.commit and ran.dirty else ran.commit,
        "mlflow.source.git.commit": ran.commit,
        "mimic.slurm_job": ran.slurm_job,
    }
    return Run(status, ran.started_ms, ran.ended_ms, tags, {})


def _model(training: TrackedTraining, sidecar: Sidecar, name: str) -> dict[str, str] | None:
    if name not in sidecar.files:
        return None
    path, md5 = training.folder / name, sidecar.files[name].md5
    return {"mimic.file": str(path), "mimic.md5": md5, "mimic.key": training.key}


def _note(training: TrackedTraining, tags: dict[str, str | None], parameters: dict[str, str]) -> str:
    """A run's description: the net in the paper's notation, its size, where its files and its log lie."""
    place = " ".join(filter(None, (tags["mimic.family"], tags["mimic.budget"], tags["mimic.arm"])))
    lines = [f"**{tags['mimic.net']}**" if tags["mimic.net"] else f"**{parameters.get('members', place)}**"]
    sizes = [f"{int(parameters[name]):,} {words}" for name, words in _SIZES.items() if name in parameters]
    lines.append(", ".join([place, *sizes]))
    if tags.get("mimic.best_epoch"):
        lines.append(f"Epoch {tags['mimic.best_epoch']} of {tags['mimic.epochs']} was kept.")
    if training.finished:
        lines.append(f"Files: `{training.folder}`")
    logs = Path("logs") / training.results.name / training.step
    log = next((p for p in (logs / f"{training.variant}.log", logs.with_suffix(".log")) if p.exists()), logs)
    return "\n\n".join([*lines, f"Log: `{log}`"])


_SIZES = {"parameters": "parameters", "multiply_adds": "multiply-adds an image"}
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
