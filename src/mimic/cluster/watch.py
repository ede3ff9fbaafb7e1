"""A thread beside Snakemake that asks SLURM what became of its jobs, so that no study hangs unnoticed.

Snakemake's plugin waits forever for a job that it lost sight of, such as one that ended while the
controller was away for longer than the plugin asks again. When SLURM has had no job of this folder for a
while and Snakemake nonetheless waits, the watch stops it and says how to go on.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from mimic.cluster import slurm
from mimic.cluster.slurm import SlurmError, SlurmJob
from mimic.engine.ending import jobs_here

# Longer than the plugin's longest pause between two looks (180 s) and its wait for files (60 s) together.
STALL_MINUTES = 10
MERCY_S = 60.0  # for Snakemake's own end


def attend(say: Callable[[str], None]) -> "Watch":
    """Have the caller, Snakemake's main process, mended and watched until it ends or the watch is stopped.

    MIMIC_STALL_MINUTES is how long SLURM may have had no job of this folder until a wait is a stall.
    """
    from mimic.cluster import plugin  # only here is Snakemake's plugin sure to be wanted

    plugin.mend()
    watch = Watch(Path.cwd(), say, 60 * float(os.environ.get("MIMIC_STALL_MINUTES") or STALL_MINUTES))
    watch.start()
    return watch


class Watch(threading.Thread):
    """Looks at SLURM's queue every tenth of `patience` seconds until stopped."""

    def __init__(self, folder: Path, say: Callable[[str], None], patience: float) -> None:
        super().__init__(name="cluster watch", daemon=True)
        self._folder, self._say, self._patience = folder, say, patience
        self._end = threading.Event()
        self._idle_since: float | None = None
        self._away_since: float | None = None
        self._told: set[str] = set()

    def run(self) -> None:
        while not self._end.wait(self._patience / 10):
            try:
                jobs = slurm.folder_jobs(self._folder)
            except SlurmError as error:
                if self._away_since is None:
                    self._away_since = time.monotonic()
                    self._say(f"SLURM does not answer ({error}); jobs go on without it, snakemake asks again")
                continue
            if self._away_since is not None:
                minutes = (time.monotonic() - self._away_since) / 60
                self._say(f"SLURM answers again, after {minutes:.0f} minutes")
                self._away_since = self._idle_since = None
            self._tell_what_waits_in_vain(jobs)
            if self._is_stalled(jobs):
                self._stop_snakemake()
                return

    def stop(self) -> None:
        """Look no more."""
        self._end.set()

    def _tell_what_waits_in_vain(self, jobs: list[SlurmJob]) -> None:
        for job in jobs:
            if job.is_stuck and job.number not in self._told:
                self._told.add(job.number)
                self._say(
                    f"SLURM job {job} can't start: {job.reason}; mend the cause and call "
                    f"`scontrol release {job.number}`, or `scancel {job.number}` to have it tried again"
                )

    def _is_stalled(self, jobs: list[SlurmJob]) -> bool:
        if any(not job.has_ended for job in jobs) or jobs_here():
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = time.monotonic()
        return self._idle_since is not None and time.monotonic() - self._idle_since > self._patience

    def _stop_snakemake(self) -> None:
        self._say(
            f"SLURM has had no job of this folder for {self._patience / 60:.0f} minutes, yet snakemake waits "
            "for one that it lost sight of. Stopping it; to go on where it ended: make resume"
        )
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(MERCY_S)
        os._exit(1)  # it waits for the controller, perhaps
