"""How many processors a process may use: often fewer than the machine has, and more threads would wait."""

import os

SLURM = ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE")


def usable() -> int:
    """By its affinity (taskset, cpusets), the quota of its container, and what SLURM gave to its job."""
    from joblib import cpu_count  # half a second, which a job that is told its threads need not wait

    given = [int(number) for name in SLURM if (number := os.environ.get(name, "")).isdecimal()]
    return min([cpu_count(), *given])
