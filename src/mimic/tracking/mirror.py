"""One pass: what the files of a study tell and its MLflow experiment lacks is sent."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mimic.core.errors import MimicError
from mimic.tracking.jobs import Evaluation, Files, Job, scan
from mimic.tracking.runs import Run, read_run
from mimic.tracking.store import Experiment, Held, Point, StoreError, locked, never, resolve

_OVER = ("FINISHED", "FAILED")  # of a run that holds everything; one that was KILLED may come back
_SINGLE_QUESTIONS = 50  # about one run each; to list thousands takes seconds, as long as some 50 of these


@dataclass
class Summary:
    """What one pass did.

    `runs` counts them as "completed" (finished or diverged, now whole), "live" (under way, now up to date),
    "updated" (whole before; now with test metrics, or current again), "unchanged", "superseded" (now marked
    as not current), "refused" (their files or the store's limits do not allow them) and "postponed" (left
    to the next pass).
    """

    study: str
    runs: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)  # one sentence each, naming a file or run left out

    def __str__(self) -> str:
        return f"{self.study}: " + (
            ", ".join(f"{n} {name}" for name, n in self.runs.items()) or "no runs yet"
        )


@dataclass
class Known:
    """What the passes of one process know of a store, so that each asks for what may have changed alone."""

    runs: dict[str, Held] = field(default_factory=dict)  # by key
    doubtful: set[str] = field(default_factory=set)  # keys of runs that were not merely found whole


def track(
    results: Path,
    live: Path,
    uri: str | None = None,
    progress: Callable[[str], None] = print,
    expired: Callable[[], bool] = never,
    known: Known | None = None,
) -> Summary:
    """Mirror the study whose results are in `results` (results/<study>) and whose trainings under way are
    in `live` (.mimic/<study>/training) into the MLflow store `uri`; see `resolve` for its default.

    The files are the truth: a run is known by its key, completed and never doubled, and marked as not
    current when the files no longer hold its key. Once `expired` is true, what is left is postponed.
    `known` is handed from pass to pass by a process that makes many, and dropped when one fails.
    The trials of a search are found together by the filter `tags."mimic.search" = 'conv2-1M-logits'`.
    Raises StoreError when the store can not be used; what was sent until then stays.
    """
    uri = resolve(uri)
    with locked(uri, Path(live).parent / "tracking.lock", progress, expired):
        files = scan(Path(results), Path(live))
        summary = Summary(files.study, complaints=files.complaints)
        if files.jobs:  # else the results of this clone were not fetched yet, which says nothing of the runs
            _mirror(files, Experiment(uri, files.study), known or Known(), summary, progress, expired)
    for complaint in summary.complaints:
        progress(complaint)
    return summary


def _mirror(
    files: Files,
    experiment: Experiment,
    known: Known,
    summary: Summary,
    progress: Callable[[str], None],
    expired: Callable[[], bool],
) -> None:
    _ask(files, experiment, known)
    for job in files.jobs:
        if expired():
            summary.runs["postponed"] += 1
            continue
        try:
            outcome = _send(job, known.runs.get(job.key), files.evaluation, experiment, summary.complaints)
        except StoreError:
            raise
        except MimicError as error:
            outcome = "refused"
            summary.complaints.append(f"{job}: {error}")
        summary.runs[outcome] += 1
        if outcome != "unchanged":
            known.doubtful.add(job.key)
        if outcome == "completed":
            progress(f"{job}: completed")
    summary.runs += Counter(superseded=_supersede(files, known, experiment))


def _ask(files: Files, experiment: Experiment, known: Known) -> None:
    """Bring up to date what is known of the runs."""
    doubtful = known.doubtful | ({job.key for job in files.jobs} - known.runs.keys())
    if not known.runs or len(doubtful) > _SINGLE_QUESTIONS:
        known.runs = _without_duplicates(experiment, experiment.runs())
    else:
        for key in doubtful:
            known.runs.pop(key, None)
            known.runs |= _without_duplicates(experiment, experiment.runs(key))
    known.doubtful = set()


def _without_duplicates(experiment: Experiment, found: list[Held]) -> dict[str, Held]:
    """The runs by key. Passes from two machines, or a request sent twice, may have doubled one."""
    runs: dict[str, Held] = {}
    for run in sorted(found, key=lambda run: (run.status not in _OVER, -run.last_epoch, run.id)):
        if run.key in runs:
            experiment.delete(run)
        else:
            runs[run.key] = run
    return runs


def _send(
    job: Job, held: Held | None, evaluation: Evaluation | None, experiment: Experiment, complaints: list[str]
) -> str:
    """Send what the store lacks of one training; the word by which Summary counts it."""
    if held and held.status in _OVER:
        tags, points = _amendments(job, held, evaluation)
        if not (tags or points):
            return "unchanged"
        experiment.add(held, tags, groups=[points])
        return "updated"
    run, left_out = read_run(job)
    complaints += left_out
    if held is None:
        held = experiment.create(job.variant, run.started_ms, run.tags)
    elif held.status == "KILLED" and run.status == "RUNNING":
        experiment.resume(held)
    tags, points = _amendments(job, held, evaluation)
    points = _new(held, run.metrics, run.ended_ms) + points
    experiment.add(
        held,
        _lacking(run.tags, held.tags) | tags,
        {name: value for name, value in run.parameters.items() if name not in held.parameters},
        [*_epochs(run, after=held.last_epoch), points],
    )
    if run.status == "RUNNING":
        return "live"
    experiment.end(held, run.status, run.ended_ms)
    return "completed"


def _amendments(job: Job, held: Held, evaluation: Evaluation | None) -> tuple[dict[str, str], list[Point]]:
    """What a whole run may lack: to be current, and its test metrics."""
    tags = {"mimic.current": "yes"}
    points = []
    measures = evaluation.of(job) if evaluation and job.finished else {}
    if measures:
        tags["mimic.evaluation"] = evaluation.key
        # Dated now: an older evaluation may have been restored, and the latest date is what MLflow shows.
        points = _new(held, measures, time.time_ns() // 1_000_000)
    return _lacking(tags, held.tags), points


def _lacking(wanted: dict[str, str], held: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in wanted.items() if held.get(name) != value}


def _new(held: Held, metrics: dict[str, float], time_ms: int) -> list[Point]:
    return [
        Point(name, value, time_ms, 0) for name, value in metrics.items() if held.metrics.get(name) != value
    ]


def _epochs(run: Run, after: int) -> list[list[Point]]:
    """The points of each later epoch; its number among them tells the next pass how far this one came."""
    return [
        [
            Point(name, value, run.epoch_ms[epoch], epoch)
            for name, value in {**metrics, "epoch": epoch}.items()
        ]
        for epoch, metrics in run.epochs.items()
        if epoch > after
    ]


def _supersede(files: Files, known: Known, experiment: Experiment) -> int:
    """Mark the runs whose key the files no longer hold; how many are newly marked.

    A run under way is killed if another key has taken its place; if its files merely went, nobody knows.
    """
    keys = files.keys
    count = 0
    for run in known.runs.values():
        place = (run.tags.get("mimic.step"), run.tags.get("mimic.variant"))
        if keys.get(place) == run.key or place in files.unreadable:
            continue
        if run.tags.get("mimic.current") != "no":
            experiment.add(run, {"mimic.current": "no"})
            known.doubtful.add(run.key)
            count += 1
        if run.status == "RUNNING" and place in keys:
            experiment.end(run, "KILLED")
            known.doubtful.add(run.key)
    return count
