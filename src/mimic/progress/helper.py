"""`mimic status` in a process of its own, beside a snakemake: no job waits for what it computes."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from mimic.progress.status import Status

NICENESS = 10


class Helper(threading.Thread):
    """Tells the status of the study in the working folder every `interval` seconds, first after `delay`."""

    def __init__(self, tell: Callable[[Status], None], jobs: int | None, interval: int, delay: float) -> None:
        super().__init__(name="status", daemon=True)
        self._tell, self._interval, self._delay = tell, interval, delay
        self._command = [sys.executable, "-m", "mimic", "status", "--json", "--watch", str(interval)]
        self._command += ["--jobs", str(jobs)] if jobs else []
        self._ended = threading.Event()
        self._process: subprocess.Popen | None = None

    def run(self) -> None:
        if self._ended.wait(self._delay):
            return
        with (
            suppress(OSError),
            subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,  # Ctrl-C is for the jobs
            ) as self._process,
        ):
            os.setpriority(os.PRIO_PROCESS, self._process.pid, NICENESS)
            for line in self._process.stdout:
                if self._ended.is_set():
                    break
                self._tell(Status.from_json(line))
            self._process.kill()

    def end(self) -> None:
        """Have it end now."""
        self._ended.set()
        if self._process:
            self._process.kill()
