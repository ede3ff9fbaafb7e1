"""A run that ends before it is done: its jobs are told, and what they have saved is counted."""

import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from types import FrameType

import psutil

from mimic.dag.jobs import Job
from mimic.dag.study import Study
from mimic.engine.keys import Keys
from mimic.engine.state import STATE
from mimic.support import messages

TRAININGS = ("teacher", "trial", "student")
CHECKPOINT = "checkpoint.safetensors"
AGAIN_S = 0.2


def jobs_here() -> list[psutil.Process]:
    """The jobs that this process, a snakemake, runs itself; those of SLURM are not among them."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it has ended
            if {"mimic", "run"} <= set(child.cmdline()):
                found.append(child)
    return found


def heed_signals() -> None:
    """Have SIGTERM end this process as Ctrl-C on a terminal does, which its jobs hear of too.

    Snakemake alone would wait until they are done. A second Ctrl-C ends it at once.
    """
    heard = False

    def end(signum: int, frame: FrameType | None) -> None:
        nonlocal heard
        if heard:
            if signum == signal.SIGINT:
                os.write(sys.stderr.fileno(), f"\n{messages.STOPPED}\n".encode())
                os._exit(128 + signum)
            return
        heard = True
        if signum == signal.SIGTERM:
            threading.Thread(target=_tell_jobs, name="ending", daemon=True).start()
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else a shell's background
        signal.signal(signal.SIGINT, end)


def _tell_jobs() -> None:
    """For as long as this process lives: a job may start just now."""
    told: set[psutil.Process] = set()
    while True:
        for job in set(jobs_here()) - told:
            with suppress(psutil.Error):
                job.terminate()
            told.add(job)
        time.sleep(AGAIN_S)


def saved(study: Study, keys: Keys) -> list[Job]:
    """The trainings whose state is saved where they stood, by their keys of now."""
    return [job for job in study.jobs(*TRAININGS) if _saved_key(study, job) == keys[job]]


def _saved_key(study: Study, job: Job) -> str | None:
    folder = STATE / study.name / "training" / job.step / job.name
    if not os.path.exists(folder / CHECKPOINT):
        return None
    with suppress(OSError, ValueError, KeyError, TypeError):
        return json.loads((folder / "live.json").read_bytes())["key"]
