"""What a benchmark ran on."""

import os
import platform
import subprocess
from pathlib import Path

import psutil
import torch
import torchvision

from benchmarks.subjects import ROOT
from mimic.engine.provenance import processor

FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")  # what bf16 products are made of


def machine() -> dict:
    """The processor and what it can, the packages, and how busy it was."""
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "instructions": [flag for flag in FLAGS if flag in _flags()],
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "threads": torch.get_num_threads(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def commit() -> str | None:
    """Of this repository, with a + where files differ from it."""
    command = ["git", "describe", "--always", "--abbrev=10", "--exclude=*", "--dirty=+"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _flags() -> set[str]:
    """/proc/cpuinfo's; none on another system."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return next((set(line.split()) for line in lines if line.startswith("flags")), set())
