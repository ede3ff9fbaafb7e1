"""The trainings of one study that its files hold, finished or under way."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mimic.core.errors import MimicError
from mimic.core.jobs import SIDECAR
from mimic.tracking.records import Live, Measures, Sidecar, read_measures, read_model

# Sidecars below results/<study>, and how many of the folders above one make up the training's name.
RESULTS = {
    "teacher": ("teachers/[!.]*", 1),
    "student": ("students/[!.]*", 1),
    "trial": ("*/searches/[!.]*/r[0-9]*/t[0-9]*", 3),
}


@dataclass(frozen=True)
class Job:
    """A training that is finished or under way, known by its key; its records are not read yet."""

    study: str
    step: str  # "teacher", "student" or "trial"
    variant: str
    folder: Path
    identity: Sidecar | Live
    size: int  # bytes of its history, which grows while it trains
    round: Path | None = None  # of a trial: the folder of the proposal that it was asked by

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
    measured: dict[str, str]  # "step/variant": key
    measures: Measures

    def of(self, job: Job) -> dict[str, float]:
        """The test metrics of this very training; none if another one was evaluated under its name."""
        known = self.measured.get(f"{job.step}/{job.variant}") == job.key
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
    rounds = {
        f"{folder.parent.name}-{folder.name}": folder for folder in results.glob("*/searches/[!.]*/r[0-9]*")
    }
    for step, (folders, parts) in RESULTS.items():
        finished = _jobs(files, step, results.glob(f"{folders}/{SIDECAR}"), parts, Sidecar, rounds)
        running = _jobs(files, step, live.glob(f"{step}/[!.]*/live.json"), 1, Live, rounds)
        files.jobs += (running | finished).values()
    files.evaluation = _evaluation(files, results)
    return files


def _jobs(
    files: Files,
    step: str,
    identities: Iterable[Path],
    parts: int,
    model: type[Sidecar | Live],
    rounds: dict[str, Path],
) -> dict[str, Job]:
    """The jobs that have these identities, by name; what can not be read is noted in `files`."""
    jobs = {}
    for path in sorted(identities):
        folder = path.parent
        variant = "-".join(folder.parts[-parts:])
        try:
            known = read_model(path, model)
            if (known.study, known.name) != (files.study, variant):
                raise MimicError(
                    f"{path}: belongs to {known.study}/{known.name}, not to {files.study}/{variant}"
                )
            round_ = rounds.get(variant.rpartition("-")[0]) if step == "trial" else None
            size = _size(folder / "history.jsonl")
            jobs[variant] = Job(files.study, step, variant, folder, known, size, round_)
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


def _evaluation(files: Files, results: Path) -> Evaluation | None:
    folder = results / "evaluation"
    if not (folder / SIDECAR).exists():
        return None
    try:
        sidecar = read_model(folder / SIDECAR, Sidecar)
        measures, left_out = read_measures(folder / "models.csv", sidecar)
        measured = sidecar.upstream | _measured_trials(sidecar, results)
    except MimicError as error:
        files.complaints.append(str(error))
        return None
    files.complaints += left_out
    return Evaluation(sidecar.key, measured, measures)


def _measured_trials(evaluation: Sidecar, results: Path) -> dict[str, str]:
    """The keys of the trials among which a selection chose the models that were evaluated."""
    trials = {}
    for path in results.glob(f"*/searches/[!.]*/{SIDECAR}"):
        key = evaluation.upstream.get(f"selection/{path.parent.name}")
        selection = read_model(path, Sidecar) if key else None
        if selection and selection.key == key:
            trials |= selection.upstream
    return trials
