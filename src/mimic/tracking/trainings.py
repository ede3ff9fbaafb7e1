"""The trainings of one study that its files hold, finished or under way, and what was measured of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mimic.dag.steps import SIDECAR
from mimic.engine.sidecar import Sidecar
from mimic.support.errors import MimicError
from mimic.tracking.records import Live, MeasuredModels, read_model

# Sidecars below results/<study>, and how many of the folders above one make up the training's name.
RESULTS = {
    "teacher": ("teachers/[!.]*", 1),
    "student": ("students/[!.]*", 1),
    "trial": ("*/searches/[!.]*/r[0-9]*/t[0-9]*", 3),
}


@dataclass(frozen=True)
class TrackedTraining:
    """A training that is finished or under way, known by its key; its records are not read yet."""

    results: Path  # results/<study>
    step: str  # "teacher", "student" or "trial"
    variant: str
    folder: Path
    identity: Sidecar | Live
    size: int  # bytes of its history, which grows while it trains

    @property
    def key(self) -> str:
        return self.identity.key

    @property
    def place(self) -> tuple[str, str]:
        return self.step, self.variant

    @property
    def finished(self) -> bool:
        return isinstance(self.identity, Sidecar)

    def __str__(self) -> str:
        return f"{self.step} {self.variant}"


@dataclass(frozen=True)
class Measured:
    """The test metrics of a training, and the key of the evaluation that found them."""

    evaluation: str
    metrics: dict[str, float]


@dataclass
class Files:
    """All that the files of a study tell at one moment."""

    results: Path
    trainings: list[TrackedTraining] = field(default_factory=list)
    measured: dict[str, Measured] = field(default_factory=dict)  # by the key of the training
    unreadable: set[tuple[str, str]] = field(default_factory=set)  # places
    complaints: list[str] = field(default_factory=list)  # one sentence each, naming a file


def scan(results: Path, live: Path) -> Files:
    """The trainings below `results` (results/<study>) and `live` (.mimic/<study>/training).

    A finished training hides a live one of the same name: what trains anew has no result yet.
    """
    files = Files(results)
    for step, (folders, parts) in RESULTS.items():
        running = _trainings(files, step, live.glob(f"{step}/[!.]*/live.json"), 1)
        finished = _trainings(files, step, results.glob(f"{folders}/{SIDECAR}"), parts)
        files.trainings += (running | finished).values()
    _read_evaluations(files)
    return files


def _trainings(files: Files, step: str, identities: Iterable[Path], parts: int) -> dict[str, TrackedTraining]:
    """The trainings that have these identities, by name; what can not be read is noted in `files`."""
    trainings = {}
    for path in sorted(identities):
        folder, study = path.parent, files.results.name
        variant = "-".join(folder.parts[-parts:])
        try:
            known = read_model(path, Sidecar if path.name == SIDECAR else Live)
            if (known.study, known.name) != (study, variant):
                raise MimicError(f"{path}: belongs to {known.study}/{known.name}, not to {study}/{variant}")
        except MimicError as error:
            if path.exists():  # else it finished a moment ago, and took its live folder away
                files.unreadable.add((step, variant))
                files.complaints.append(str(error))
        else:
            size = _size(folder / "history.jsonl")
            trainings[variant] = TrackedTraining(files.results, step, variant, folder, known, size)
    return trainings


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _read_evaluations(files: Files) -> None:
    """Note what each evaluation measured, under the key of the very training that it opened."""
    selections = {
        f"selection/{path.parent.name}": path for path in files.results.glob(f"*/searches/[!.]*/{SIDECAR}")
    }
    for path in sorted(files.results.glob(f"evaluation/[!.]*/{SIDECAR}")):
        try:
            sidecar = read_model(path, Sidecar)
            keys = dict(sidecar.upstream)
            for job in keys.keys() & selections.keys():  # whose best trials were evaluated
                selection = read_model(selections[job], Sidecar)
                if selection.key == keys[job]:
                    keys |= selection.upstream
            found = read_model(path.with_name("measures.json"), MeasuredModels, sidecar).metrics
        except MimicError as error:
            files.complaints.append(str(error))
            continue
        for model in found.keys() & keys.keys():
            files.measured[keys[model]] = Measured(sidecar.key, found[model])
