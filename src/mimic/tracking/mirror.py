"""One pass: what the files of a study tell and its MLflow experiments lack is sent."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mlflow.entities import Metric

from mimic.dag.steps import SIDECAR
from mimic.support.errors import MimicError
from mimic.tracking.experiments import Experiments, Held
from mimic.tracking.mlflow_store import StoreError, locked, resolve
from mimic.tracking.records import read_provenance
from mimic.tracking.runs import Run, began_ms, read_images, read_run
from mimic.tracking.trainings import Files, TrackedTraining, scan

_OVER = ("FINISHED", "FAILED")  # of a run that holds everything; one that was KILLED may come back
_SINGLE_QUESTIONS = 50  # about one run each; to list thousands takes seconds, as long as some 50 of these
_STUDY = "study"  # step and key of the run that holds the report, and all others below it


@dataclass
class Summary:
    """What one pass did.

    `runs` counts them as "completed" (finished or diverged, now whole), "live" (under way, now up to date),
    "updated" (whole before; now with test metrics, or current again), "unchanged", "superseded" (now marked
    as not current), "refused" (their files or the store's limits do not allow them) and "postponed" (left
    to the next pass).
    """

    study: str
    complaints: list[str]  # one sentence each, naming a file or run left out
    runs: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return f"{self.study}: {', '.join(f'{n} {name}' for name, n in self.runs.items()) or 'no runs yet'}"


def track(
    results: Path, live: Path, uri: str | None = None, progress: Callable[[str], None] = print
) -> Summary:
    """Make one pass; see Mirror."""
    return Mirror(results, live, uri, progress).sync()


class Mirror:
    """Mirrors the study whose results are in `results` (results/<study>) and whose trainings under way are in
    `live` (.mimic/<study>/training) into the MLflow store `uri`; see `resolve` for its default.

    The files are the truth: a run is known by its key, completed and never doubled, and marked as not
    current when the files no longer hold its key. Teachers, students and ensemble are in one experiment,
    below the run of the study, which has the report; the trials of searches are in one beside it. Of many
    passes, each asks for what may have changed alone. After a pass that failed a new Mirror is to go on:
    what this one knows may be wrong.
    """

    def __init__(
        self, results: Path, live: Path, uri: str | None = None, progress: Callable[[str], None] = print
    ) -> None:
        """Raises StoreError for a store that would not outlast the process."""
        self._results, self._live, self._progress = Path(results), Path(live), progress
        self._uri = resolve(uri)
        self._files: Files | None = None  # as the last pass found them
        self._runs: dict[str, Held] = {}  # by key, as far as they are known

    def sync(self, expired: Callable[[], bool] = lambda: False) -> Summary:
        """Make one pass, if the files are not as the last one found them; what `expired` ends is postponed.

        Raises StoreError when the store can not be used; what was sent until then stays.
        """
        with locked(self._uri, self._live.parent / "tracking.lock", self._progress, expired):
            before, self._files = self._files, scan(self._results, self._live)
            self._complaints = list(self._files.complaints)
            summary = Summary(self._results.name, self._complaints)
            if self._files == before:
                return summary
            if self._files.trainings:  # else this clone has not fetched the results: they tell nothing
                self._experiments = Experiments(self._uri, summary.study)
                self._ask()
                self._begin()
                for training in self._files.trainings:
                    try:
                        outcome = "postponed" if expired() else self._send(training)
                    except StoreError:
                        raise
                    except MimicError as error:
                        summary.complaints.append(f"{training}: {error}")
                        outcome = "refused"
                    summary.runs[outcome] += 1
                    if outcome == "completed":
                        self._progress(f"{training}: completed")
                summary.runs += Counter(superseded=self._supersede())
                if not expired():
                    self._report()
        for complaint in summary.complaints:
            self._progress(complaint)
        return summary

    def _ask(self) -> None:
        """Bring up to date what is known of the runs: whole ones change by this mirror alone."""
        keys = {training.key for training in self._files.trainings}
        doubtful = [key for key in keys if key not in self._runs or self._runs[key].status not in _OVER]
        if not self._runs or len(doubtful) > _SINGLE_QUESTIONS:
            self._runs = self._without_duplicates(self._experiments.runs())
        else:
            for key in doubtful:
                self._runs.pop(key, None)
                self._runs |= self._without_duplicates(self._experiments.runs(key))

    def _without_duplicates(self, found: list[Held]) -> dict[str, Held]:
        """The runs by key. Passes from two machines, or a request sent twice, may have doubled one."""
        runs: dict[str, Held] = {}
        for run in sorted(found, key=lambda run: (run.status not in _OVER, -run.last_epoch, run.id)):
            if run.key in runs:
                self._experiments.delete(run)
            else:
                runs[run.key] = run
        return runs

    def _begin(self) -> None:
        """See that the study has its run, which begins with the first of its trainings."""
        if _STUDY not in self._runs:
            name = self._results.name
            note = f"The report: *Artifacts*, `report.html`; its file: `{self._results}/report/report.html`."
            tags = {"mimic.key": _STUDY, "mimic.step": _STUDY, "mimic.study": name, "mimic.current": "yes"}
            tags |= {"mlflow.note.content": note, "mlflow.source.name": "snakemake report.html"}
            began = min(began_ms(training) for training in self._files.trainings)
            self._create(name, began, tags)

    def _create(self, name: str, began_ms: int, tags: dict[str, str]) -> Held:
        """A new run, the only one of its key, also where another pass or a request sent twice made one."""
        self._experiments.create(name, began_ms, tags)
        key = tags["mimic.key"]
        self._runs |= self._without_duplicates(self._experiments.runs(key))
        return self._runs[key]

    def _report(self) -> None:
        """Bring the study's run the report, page and tables, if it has not this one, and its end."""
        study, report = self._runs[_STUDY], self._files.report
        if report is None or study.tags.get("mimic.report") == report.key:
            return
        folder = self._results / "report"
        self._experiments.upload(study, [folder / name for name in report.files if (folder / name).exists()])
        self._experiments.add(study, {"mimic.report": report.key})
        self._experiments.set_status(study, "FINISHED", read_provenance(folder / SIDECAR, report).ended_ms)

    def _send(self, training: TrackedTraining) -> str:
        """Send what the store lacks of one training; the word by which Summary counts it."""
        held = self._runs.get(training.key)
        is_whole = held is not None and held.status in _OVER
        tags, points = {"mimic.current": "yes"}, []
        if training.step != "trial":
            tags["mlflow.parentRunId"] = self._runs[_STUDY].id
        if not is_whole:
            run = read_run(training)
            self._complaints += run.left_out
            tags |= run.tags
            if held is None:
                held = self._create(training.variant, run.began_ms, tags)
            elif held.status == "KILLED" and run.status == "RUNNING":
                self._experiments.set_status(held, "RUNNING")
            self._send_training(held, run)
            points = _new(held, run.metrics, run.ended_ms)
        measured = self._files.measured.get(training.key) if training.finished else None
        if measured:
            tags["mimic.evaluation"] = measured.evaluation
            # Dated now: an older evaluation may have been restored, and the latest date is what MLflow shows.
            points += _new(held, measured.metrics, time.time_ns() // 1_000_000)
        tags = {name: value for name, value in tags.items() if held.tags.get(name) != value}
        if is_whole and not (tags or points):
            return "unchanged"
        if measured and "mimic.evaluation" in tags:
            self._experiments.add_images(held, read_images(self._results, measured.images, "test"))
        if tags or points:
            self._experiments.add(held, tags, groups=[points])
        if is_whole:
            return "updated"
        if run.status == "RUNNING":
            return "live"
        self._experiments.set_status(held, run.status, run.ended_ms)
        return "completed"

    def _send_training(self, held: Held, run: Run) -> None:
        """Send parameters, images and epochs, and name the model, to which later metrics belong."""
        parameters = {name: run.parameters[name] for name in run.parameters.keys() - held.parameters}
        epochs = _epochs(run, after=held.last_epoch)
        if parameters or epochs:
            self._experiments.add(held, {}, parameters, epochs)
        self._experiments.add_images(held, run.images)
        if run.model:
            self._experiments.add_model(held, run.tags["mimic.variant"], run.tags["mimic.family"], run.model)

    def _supersede(self) -> int:
        """Mark the runs whose key the files no longer hold; how many are newly marked.

        A run under way is killed if another key has taken its place; if its files merely went, nobody knows.
        """
        keys = {(training.step, training.variant): training.key for training in self._files.trainings}
        keys[_STUDY, None] = _STUDY
        count = 0
        for run in self._runs.values():
            place = (run.tags.get("mimic.step"), run.tags.get("mimic.variant"))
            if keys.get(place) == run.key or place in self._files.unreadable:
                continue
            if run.tags.get("mimic.current") != "no":
                self._experiments.add(run, {"mimic.current": "no"})
                count += 1
            if run.status == "RUNNING" and place in keys:
                self._experiments.set_status(run, "KILLED")
        return count


def _new(held: Held, metrics: dict[str, float], time_ms: int) -> list[Metric]:
    return [
        Metric(name, value, time_ms, 0, model_id=held.model)
        for name, value in metrics.items()
        if held.metrics.get(name) != value
    ]


def _epochs(run: Run, after: int) -> list[list[Metric]]:
    """The points of each later epoch; their step tells the next pass how far this one came."""
    epoch_ms = run.epoch_ms
    return [
        [Metric(*point, epoch_ms[epoch], epoch) for point in metrics.items()]
        for epoch, metrics in run.epochs.items()
        if epoch > after
    ]
