"""Whether a cluster can run the study with a profile: what must be right, and what to do where it isn't."""

import json
import os
import re
import secrets
import shlex
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mimic.cluster import probe, slurm
from mimic.cluster.profile import Profile
from mimic.cluster.slurm import SlurmError
from mimic.engine.state import STATE
from mimic.support import publish

PROGRAMS = ("sbatch", "srun", "squeue", "sinfo", "scontrol", "scancel")
LONGEST_PAUSE_S = 180  # of the plugin between two looks at the queue: a job must be known for longer
PATIENCE_S = 600.0  # for the cluster to run a job of a minute
LAG_S = 30.0


@dataclass(frozen=True)
class Requirement:
    """One thing that must be right."""

    ok: bool
    what: str
    text: str  # what was found, or what to do


def check_cluster(profile: Profile) -> Iterator[Requirement]:
    """Everything in turn; what can't be told without an earlier requirement isn't looked at."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        yield Requirement(False, "programs", f"{', '.join(missing)}: not found; call this on a login node")
        return
    yield Requirement(True, "programs", shutil.which("sbatch"))
    try:
        configuration = slurm.configuration()
    except SlurmError as error:
        yield Requirement(False, "controller", f"{error}; ask those who run the cluster")
        return
    yield Requirement(True, "controller", f"answers; SLURM {configuration.get('SLURM_VERSION', 'unknown')}")
    partition = _partition(profile)
    yield partition
    if not partition.ok:
        return
    if profile.gpu:
        yield _gpu(profile)
    request = _request(profile)
    yield request
    yield _status(profile, configuration)
    if os.environ.get("MLFLOW_TRACKING_URI", "").startswith("http"):
        yield _mlflow(os.environ["MLFLOW_TRACKING_URI"])
    if request.ok:
        yield from _node(profile)


def _partition(profile: Profile) -> Requirement:
    name = profile["slurm_partition"]
    states = dict(line.split() for line in slurm.call("sinfo", "--noheader", "--format=%R %a").splitlines())
    if name not in states:
        there = ", ".join(sorted(states))
        return Requirement(False, "partition", f"{name}: not here; set slurm_partition to one of {there}")
    if states[name] != "up":
        return Requirement(False, "partition", f"{name}: is {states[name]}; wait for it or choose another")
    return Requirement(True, "partition", name)


def _gpu(profile: Profile) -> Requirement:
    listing = slurm.call("sinfo", "--noheader", f"--partition={profile['slurm_partition']}", "--format=%G")
    counted = re.sub(r"\(.*?\)", "", listing).replace(",", " ").split()  # `gpu:a100:4(S:0-1),shard:8`
    offered = sorted({gres.rpartition(":")[0] for gres in counted} - {""})
    if any(gres == profile.gpu or gres.startswith(f"{profile.gpu}:") for gres in offered):
        return Requirement(True, "GPU", f"{profile.gpu}, of {', '.join(offered)}")
    there = ", ".join(offered) or "none"
    return Requirement(
        False, "GPU", f"{profile.gpu}: no node of the partition has it, but {there}; set gpu_model"
    )


def _request(profile: Profile) -> Requirement:
    """SLURM's own word on partition, account, qos, constraint, time and memory of a training."""
    time_limit = f"--time={profile.number('runtime')}"
    try:
        slurm.call("sbatch", "--test-only", *profile.options, time_limit, "--wrap=true")
    except SlurmError as error:
        return Requirement(False, "request", f"{error}; asked for {' '.join([*profile.options, time_limit])}")
    return Requirement(True, "request", " ".join([*profile.options, time_limit]))


def _status(profile: Profile, configuration: dict[str, str]) -> Requirement:
    """Whether the end of a job is noticed: SLURM must tell of it for longer than nobody asks."""
    age = int(re.match(r"\d+", configuration.get("MinJobAge", "0")).group())
    accounting = slurm.has_accounting()
    if profile.status_command == "sacct":
        text = "sacct" if accounting else "there is no accounting for sacct; set slurm-status-command: squeue"
        return Requirement(accounting, "status", text)
    if age >= LONGEST_PAUSE_S:
        return Requirement(True, "status", f"squeue tells of jobs for {age} s after their end")
    text = f"squeue forgets jobs {age} s after their end, too soon; "
    return Requirement(
        False, "status", text + ("set slurm-status-command: sacct" if accounting else "raise MinJobAge")
    )


def _mlflow(uri: str) -> Requirement:
    try:
        with urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=10):
            pass
    except urllib.error.HTTPError:
        pass  # an answer, if not MLflow's own
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return Requirement(
            False, "MLflow", f"{uri}: {reason}; nothing waits for it: python -m mimic track, later"
        )
    return Requirement(True, "MLflow", uri)


def _node(profile: Profile) -> Iterator[Requirement]:
    """Send a job to a compute node and read what it found there."""
    folder = (STATE / "slurm_check").absolute()
    question, answer, log = (folder / name for name in ("question.txt", "answer.json", "job.log"))
    for old in (answer, log):
        old.unlink(missing_ok=True)
    token = secrets.token_hex(8)
    publish.write_text(question, token)
    command = shlex.join([sys.executable, "-m", probe.__name__, str(question), str(answer)])
    job = slurm.call(
        *("sbatch", "--parsable", "--job-name=mimic_check", f"--output={log}", "--time=5"),
        *(*profile.options, f"--wrap={command}"),
    ).strip()
    reason = _wait(job.split(";")[0])
    if reason:
        yield Requirement(False, "node", f"job {job} got none within {PATIENCE_S / 60:.0f} minutes: {reason}")
        return
    found = _read(answer)
    host = found.get("host", "a node")
    if found.get("question") != token:
        yield Requirement(
            False, "folder", f"{folder}: {host} does not see these files, or not the same: {_last(log)}"
        )
        return
    yield Requirement(True, "folder", f"{Path.cwd()} is the same on {host}")
    if "torch" not in found:
        yield Requirement(False, "python", f"{sys.executable}: does not work on {host}: {_last(log)}")
        return
    yield Requirement(True, "python", f"{sys.executable} with torch {found['torch']}")
    if profile.gpu and found["gpu"]:
        yield Requirement(True, "cuda", found["gpu"])
    elif profile.gpu:
        text = f"torch {found['torch']} finds no GPU on {host}; install a build for its driver, or set gpu: 0"
        yield Requirement(False, "cuda", text)


def _wait(job: str) -> str | None:
    """Wait for a job's end; after PATIENCE_S cancel it and say why it waited."""
    end = time.monotonic() + PATIENCE_S
    while True:
        state, _, reason = (
            slurm.call("squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T|%r")
            .strip()
            .partition("|")
        )
        if state in slurm.ENDED:
            return None
        if time.monotonic() > end:
            slurm.call("scancel", job)
            return reason
        time.sleep(1)


def _read(answer: Path) -> dict:
    """The node's answer; {} if none shows within the time that a shared file system may lag."""
    end = time.monotonic() + LAG_S
    while time.monotonic() < end:
        try:
            return json.loads(answer.read_text(encoding="utf-8"))
        except FileNotFoundError:
            time.sleep(1)
    return {}


def _last(log: Path) -> str:
    """What the job said last."""
    try:
        return log.read_text(encoding="utf-8").strip().splitlines()[-1]
    except (OSError, IndexError):
        return f"{log} has no word of it"
