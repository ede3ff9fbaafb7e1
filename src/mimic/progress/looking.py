"""A study looked at again and again: its files, and of one on a cluster SLURM's queue."""

import time
from collections import Counter
from pathlib import Path

from mimic.cluster.slurm import SlurmError, folder_jobs
from mimic.dag.jobs import Job
from mimic.engine.open_study import open_study
from mimic.engine.state import STATE
from mimic.plan.work import model_task
from mimic.progress.files import AtWork, Files, Found, title_of
from mimic.progress.outlook import Outlook
from mimic.progress.status import Running, Status

SHOWN = 5  # failures
SLURM_LOGS = Path("logs/slurm")  # of a folder whose jobs went through SLURM
SLURM_S = 60.0  # between two questions to it, which many users share


class Looking:
    """The study of a parameter file in the working folder."""

    def __init__(self, params: Path, jobs: int | None = None) -> None:
        """`jobs` run side by side, where that is known. Raises MimicError for what is wrong in the file."""
        self._study = open_study(params, for_keys=False)
        self._files, self._outlook, self._jobs = Files(self._study), Outlook(self._study), jobs
        self._queue, self._asked = (), float("-inf")

    def status(self) -> Status:
        """How far it is now."""
        found, jobs = self._files.look(), self._study.jobs()
        at_work = [job for job in jobs if isinstance(found.get(job.id), AtWork)]
        seconds_left, measured = self._outlook.seconds_left(found, self._jobs)
        return Status(
            study=self._study.name,
            jobs=len(jobs),
            done=len(found) - len(at_work),
            running=tuple(_running(job, found[job.id]) for job in at_work),
            seconds_left=seconds_left,
            measured=measured,
            accuracy=tuple(_best(jobs, found).items()),
            failures=tuple(self._files.failures(found)[:SHOWN]),
            idle_seconds=self._files.idle_seconds(),
            queue=self._waiting(),
        )

    def _waiting(self) -> tuple[tuple[str, int], ...]:
        """Why jobs wait in SLURM, the most frequent reason first; nothing where no squeue is at hand."""
        if SLURM_LOGS.exists() and time.monotonic() >= self._asked + SLURM_S:
            self._asked = time.monotonic()
            try:
                jobs = folder_jobs(Path.cwd())
            except SlurmError:
                jobs = []
            reasons = Counter(job.reason for job in jobs if job.state == "PENDING")
            self._queue = tuple(reasons.most_common())
        return self._queue


def last_run() -> Path | None:
    """The parameters that the last snakemake in the working folder froze, which edits since don't change."""
    frozen = list(STATE.glob("*/parameters/*.yaml"))
    return max(frozen, key=lambda path: path.stat().st_mtime) if frozen else None


def _running(job: Job, found: AtWork) -> Running:
    if not found.epochs:
        return Running(title_of(job))
    planned = model_task(job).schedule.planned_epochs
    return Running(title_of(job), len(found.epochs), planned, found.accuracy)


def _best(jobs: list[Job], found: Found) -> dict[str, float]:
    """The best accuracy so far of each kind of model."""
    best: dict[str, float] = {}
    for job in jobs:
        accuracy = found[job.id].accuracy if job.id in found else None
        if accuracy is not None:
            best[job.step] = max(accuracy, best.get(job.step, 0.0))
    return best
