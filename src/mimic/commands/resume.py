"""`mimic resume`: go on after snakemake's main process died and left jobs to SLURM."""

import os
import sys
import time
from pathlib import Path

from mimic.cluster import slurm
from mimic.cluster.slurm import SlurmJob
from mimic.engine.run_lock import alone
from mimic.support.errors import MimicError

INTERVAL_S = 10.0


def run(options) -> None:
    """Wait until SLURM has no job of this folder, then become snakemake. Never returns.

    Jobs that are queued are cancelled: they have lost nothing. Those that run are waited for, or, with
    --cancel, cancelled too: trainings save their state when told to end. Raises MimicError when there is
    no Snakefile here, another snakemake is at work, or SLURM doesn't answer.
    """
    if not Path("Snakefile").exists():
        raise MimicError("Snakefile: no such file; go to the folder of the run that died")
    with alone("make resume"):
        _clear(cancel_running=options.cancel)
    arguments = options.arguments or ["--profile", "slurm", "report.html"]
    os.execv(sys.executable, [sys.executable, "-m", "snakemake", *arguments])


def _clear(cancel_running: bool) -> None:
    """Return when SLURM has no job of this folder any more."""
    if unwanted := [job for job in _active() if cancel_running or job.state == "PENDING"]:
        print(f"cancelling {', '.join(map(str, unwanted))}", flush=True)
        slurm.call("scancel", *(job.number for job in unwanted))
    told = None
    while jobs := _active():
        text = ", ".join(map(str, jobs))
        if text != told:
            print(f"waiting for {len(jobs)} jobs of SLURM to end: {text}", flush=True)
            told = text
        time.sleep(INTERVAL_S)


def _active() -> list[SlurmJob]:
    return [job for job in slurm.folder_jobs(Path.cwd()) if not job.has_ended]
