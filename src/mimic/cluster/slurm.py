"""What SLURM knows of the jobs of one folder, asked through SLURM's own programs."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mimic.support.errors import MimicError

ANSWER_S = 60.0  # a program that takes longer has no answer
ENDED = {
    *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED"),
    *("NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"),
}
# Why a job waits, where waiting alone won't help.
STUCK = {
    *("BadConstraints", "JobHeldAdmin", "JobHeldUser", "PartitionDown", "PartitionInactive"),
    *("PartitionNodeLimit", "PartitionTimeLimit", "InvalidAccount", "InvalidQOS"),
    "launch failed requeued held",
}


class SlurmError(MimicError):
    """A program of SLURM is missing, refused, or got no answer from the controller."""


@dataclass(frozen=True)
class SlurmJob:
    """One job of SLURM."""

    number: str
    state: str
    reason: str
    label: str  # rule and name, e.g. `train_students conv2-1M-logits-s1`

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED

    @property
    def is_stuck(self) -> bool:
        return self.state == "PENDING" and self.reason in STUCK

    def __str__(self) -> str:
        return f"{self.number} ({self.label})"


def call(*command: str) -> str:
    """What a program of SLURM prints. Raises SlurmError with its complaint."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_S)
    except OSError:
        raise SlurmError(f"{command[0]}: not found; a SLURM cluster's login node has it") from None
    except subprocess.TimeoutExpired:
        raise SlurmError(f"{command[0]}: no answer within {ANSWER_S:.0f} s") from None
    if done.returncode != 0:
        complaint = done.stderr.strip() or f"exit status {done.returncode}"
        raise SlurmError(f"{command[0]}: {complaint.splitlines()[-1]}")
    return done.stdout


def configuration() -> dict[str, str]:
    """What `scontrol show config` says. Raises SlurmError when the controller doesn't answer."""
    lines = [line.split("=", 1) for line in call("scontrol", "show", "config").splitlines() if "=" in line]
    return {key.strip(): value.strip() for key, value in lines}


def has_accounting() -> bool:
    """Whether the cluster keeps a database of jobs, so that sacct has something to tell."""
    return configuration().get("AccountingStorageType", "").endswith("slurmdbd")


def folder_jobs(folder: Path) -> list[SlurmJob]:
    """The jobs that Snakemake submitted from `folder`, also those that ended a short time ago."""
    listing = call(
        *("squeue", "--noheader", "--states=all", f"--user={os.getuid()}", "--format=%i|%T|%r|%k|%Z")
    )
    lines = [line.split("|", 4) for line in listing.splitlines()]
    return [  # the plugin's comment, `rule_teacher_wildcards_t1`, names the job that here is `teacher t1`
        SlurmJob(number, state, reason, comment.removeprefix("rule_").replace("_wildcards_", " ", 1))
        for number, state, reason, comment, workdir in lines
        if workdir == str(folder) and comment.startswith("rule_")
    ]
