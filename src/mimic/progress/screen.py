"""Snakemake's events as a person reads them: a line for each job that ended, and one live line of all."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from logging import WARNING, LogRecord
from pathlib import Path

from snakemake_interface_logger_plugins.common import LogEvent

from mimic.progress import text
from mimic.progress.accuracy import RECORDS, read_accuracy
from mimic.progress.status import Running, Status
from mimic.support.durations import duration
from mimic.support.terminal import Piece, Terminal

BUILDING = "Building DAG of jobs"
STOPPING = "Terminating processes on user request"
UNSAID = (  # beginnings of what Snakemake tells and nobody asks
    "--keep-incomplete mode is set",
    "Assuming unrestricted shared filesystem",
    "Conda environments: ignored",
    "Select jobs to execute",
    "Singularity containers: ignored",
    "Using shell:",
    "Warning: the following output files of rule",  # of a result that this run makes for the first time
)
ERRORS = {LogEvent.ERROR, LogEvent.JOB_ERROR}
SILENT = {
    LogEvent.DEBUG_DAG,
    LogEvent.GROUP_INFO,
    LogEvent.JOB_STARTED,
    LogEvent.RULEGRAPH,
    LogEvent.SHELLCMD,
    LogEvent.WORKFLOW_STARTED,
}


@dataclass(frozen=True)
class Begun:
    """A job that Snakemake has started or submitted."""

    message: str
    outputs: list[str]
    at: float


class Screen:
    """What stands on the terminal, or in the file, of one call of Snakemake."""

    def __init__(
        self,
        terminal: Terminal,
        format: Callable[[LogRecord], str],  # Snakemake's own words for an event
        begin: Callable[[int | None], None],  # called with the number of jobs side by side, before the first
        now: Callable[[], float] = time.time,
    ) -> None:
        self._terminal, self._format, self._begin, self._now = terminal, format, begin, now
        self._begun: dict[int, Begun] = {}
        self._done, self._total, self._side_by_side = 0, 0, None
        self._told: Status | None = None
        self._is_stopping = False

    def handle(self, record: LogRecord) -> None:
        """Show an event."""
        event = getattr(record, "event", None)
        match event:
            case _ if self._is_stopping and event in ERRORS:  # of jobs that were told to end
                self._begun.pop(getattr(record, "jobid", None), None)
            case LogEvent.RUN_INFO:
                self._total = record.stats["total"]
                self._say((f"{self._total} jobs to run", "bold"))
                self._begin(self._side_by_side)
            case LogEvent.RESOURCES_INFO:
                self._side_by_side = getattr(record, "cores", getattr(record, "nodes", self._side_by_side))
            case LogEvent.JOB_INFO:
                self._begun[record.jobid] = Begun(
                    record.rule_msg or record.rule_name, list(record.output), self._now()
                )
            case LogEvent.JOB_FINISHED:
                self._finished(record.job_id)
            case LogEvent.JOB_ERROR:
                self._failed(record)
            case LogEvent.PROGRESS:
                self._done, self._total = record.done, record.total
            case None:
                self._message(record)
            case _ if event not in SILENT:  # errors, and what a later Snakemake may tell
                self._words(record)
        self._live()

    def tell(self, status: Status) -> None:
        """What the files say besides."""
        self._told = status
        if self._terminal.is_live:
            self._live()
        else:
            self._say(*text.live(self._status()))

    def end(self) -> None:
        """Leave no live line behind."""
        self._terminal.live()

    def _finished(self, jobid: int) -> None:
        self._done += 1
        job = self._begun.pop(jobid, None)
        if job is None or not job.outputs:  # a target that a person may ask for
            return
        pieces = [(f"{job.message}  ", None), (duration(self._now() - job.at), "dim")]
        records = [Path(output) for output in job.outputs if Path(output).name in RECORDS]
        for accuracy in filter(None, map(read_accuracy, records)):
            pieces.append((f"  validation accuracy {text.percent(accuracy)}", "green"))
        self._say((f"{self._done}/{self._total} ", "dim"), *pieces)

    def _failed(self, record: LogRecord) -> None:
        """Snakemake's words, without the names of dozens of files, and the log if that is asked for."""
        job = self._begun.pop(record.jobid, None)
        if job:
            self._say((f"{job.message} failed after {duration(self._now() - job.at)}", "red"))
        short = copy.copy(record)
        short.input, short.output, short.msg = [], [], record.rule_msg or ""
        self._words(short)

    def _message(self, record: LogRecord) -> None:
        words = record.getMessage()
        if words.startswith(BUILDING):
            self._terminal.live([("building the DAG of jobs …", "dim")])
        elif words.startswith(STOPPING):
            self._is_stopping = True
            self._say(("stopping; trainings save their state", "yellow"))
        elif not words.startswith(UNSAID):
            self._words(record)

    def _words(self, record: LogRecord) -> None:
        words = self._format(record)
        if words and words != "None":
            style = None if record.levelno < WARNING else "yellow" if record.levelno == WARNING else "red"
            for line in words.splitlines():
                self._terminal.say((line, style))

    def _say(self, *pieces: Piece) -> None:
        self._terminal.say((time.strftime("%H:%M:%S ", time.localtime(self._now())), "dim"), *pieces)

    def _live(self) -> None:
        if 0 < self._done < self._total or self._begun:
            self._terminal.live(text.live(self._status()))
        elif self._total:
            self._terminal.live()

    def _status(self) -> Status:
        """By Snakemake's own count, which knows at once; the rest as it was last told."""
        status = self._told or Status("", 0, 0)
        running = tuple(_at_work(job.message, status.running) for job in self._begun.values())
        return replace(status, jobs=self._total, done=self._done, running=running)


def _at_work(message: str, told: tuple[Running, ...]) -> Running:
    """A process by Snakemake's message, with the epochs of the first of its trainings."""
    words = message.replace(",", "").split()
    trained = [job for job in told if job.epoch is not None and job.title.split()[-1] in words]
    return replace(trained[0], title=message) if trained else Running(message)
