"""Where, when and with what a result was made. Recorded beside it; never part of its key."""

import datetime
import importlib.metadata
import os
import platform
import resource
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
PACKAGES = ("mimic", "torch", "torchvision", "numpy", "snakemake", "dvc", "mlflow")


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=PACKAGE, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@cache
def processor() -> str:
    """The processor's name, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _device() -> str:
    torch = sys.modules.get("torch")  # a step without torch ran on no accelerator
    if torch is None or os.environ.get("MIMIC_DEVICE") == "cpu" or not torch.cuda.is_available():
        return "cpu"
    index = os.environ.get("MIMIC_DEVICE", "").partition(":")[2]
    return torch.cuda.get_device_name(int(index or 0))


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


@dataclass
class Clock:
    """Started when a job begins; tells its provenance when it ends."""

    threads: int
    cohort: int = 1  # jobs that share the process
    started: float = field(default_factory=time.time)

    def provenance(self) -> dict:
        """What the sidecar records. Seconds are wall time of this process, an equal share for each job."""
        commit = _git("rev-parse", "HEAD")
        moment = datetime.datetime.fromtimestamp(self.started, datetime.UTC)
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {
            "commit": commit,
            "dirty": bool(commit and _git("status", "--porcelain", "--", ".")),
            "started": moment.isoformat(timespec="seconds"),
            "seconds": round((time.time() - self.started) / self.cohort, 3),
            "host": socket.gethostname(),
            "device": _device(),
            "processor": processor(),
            "threads": self.threads,
            "cohort": self.cohort,
            "slurm_job": os.environ.get("SLURM_JOB_ID"),
            "versions": {"python": platform.python_version()} | {p: _version(p) for p in PACKAGES},
            "peak_memory_mb": round(kilobytes / (1024 if sys.platform != "darwin" else 1024**2)),
        }
