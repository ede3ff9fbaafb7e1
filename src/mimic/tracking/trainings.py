"""The trainings of one study that its files hold, finished or under way, and what was measured of them."""

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
    "ensemble": ("ensemble", 1),
}

IMAGES = "data/data"  # the job that packs them, among those upstream


@dataclass(frozen=True)
class TrackedTraining:
    """A training, finished or under way, or the ensemble: known by its key, its records not read yet."""

    results: Path  # results/<study>
    step: str  # "teacher", "student", "trial" or "ensemble"
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
        return self.step if self.step == self.variant else f"{self.step} {self.variant}"


@dataclass(frozen=True)
class Measured:
    """What an evaluation has measured of one model."""

    evaluation: str  # its key
    images: str | None  # the key of the images
    metrics: dict[str, float]


@dataclass
class Files:
    """All that the files of a study tell at one moment."""

    trainings: list[TrackedTraining] = field(default_factory=list)
    measured: dict[str, Measured] = field(default_factory=dict)  # by the key of a training
    report: Sidecar | None = None
    unreadable: set[tuple[str, str]] = field(default_factory=set)  # steps and names
    complaints: list[str] = field(default_factory=list)  # one sentence each, naming a file


def scan(results: Path, live: Path) -> Files:
    """The trainings below `results` (results/<study>) and `live` (.mimic/<study>/training).

    A finished training hides a live one of the same name: what trains anew has no result yet.
    """
    files = Files()
    for step, (folders, parts) in RESULTS.items():
        running, finished = live.glob(f"{step}/[!.]*/live.json"), results.glob(f"{folders}/{SIDECAR}")
        found = [(path, path.parent.name, Live) for path in sorted(running)]
        found += [(path, "-".join(path.parent.parts[-parts:]), Sidecar) for path in sorted(finished)]
        trainings = {}
        for path, variant, model in found:
            try:
                known = read_model(path, model)
                if (known.study, known.name) != (results.name, variant):
                    there = f"{known.study}/{known.name}"
                    raise MimicError(f"{path}: belongs to {there}, not to {results.name}/{variant}")
            except MimicError as error:
                if path.exists():  # else it finished a moment ago, and took its live folder away
                    files.unreadable.add((step, variant))
                    files.complaints.append(str(error))
            else:
                size = _size(path.with_name("history.jsonl"))
                trainings[variant] = TrackedTraining(results, step, variant, path.parent, known, size)
        files.trainings += trainings.values()
    _read_evaluations(files, results)
    _read_report(files, results)
    return files


def _read_report(files: Files, results: Path) -> None:
    path = results / "report" / SIDECAR
    try:
        files.report = read_model(path, Sidecar) if path.exists() else None
    except MimicError as error:
        files.complaints.append(str(error))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _read_evaluations(files: Files, results: Path) -> None:
    """Note what each evaluation measured, under the key of the very training that it opened."""
    searches = results.glob(f"*/searches/[!.]*/{SIDECAR}")
    selections = {f"selection/{path.parent.name}": path for path in searches}
    for path in sorted(results.glob(f"evaluation/[!.]*/{SIDECAR}")):
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
        else:
            opened = found.keys() & keys.keys()
            images = sidecar.upstream.get(IMAGES)
            files.measured |= {keys[model]: Measured(sidecar.key, images, found[model]) for model in opened}
