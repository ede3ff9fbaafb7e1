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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from mimic.cluster import probe, slurm
from mimic.cluster.profile import Profile
from mimic.cluster.slurm import SlurmError
from mimic.engine.state import STATE
from mimic.support import publish
from mimic.support.errors import MimicError

IN_TURN = (
    *("programs", "controller", "partition", "GPU", "status", "MLflow"),
    *("request", "node", "folder", "python", "cuda"),
)
BY_THEMSELVES = {"GPU", "status", "MLflow"}  # the rest can be told without them
PROGRAMS = ("sbatch", "srun", "squeue", "sinfo", "scontrol", "scancel")
LONGEST_PAUSE_S = 180  # of the plugin between two looks at the queue: a job must be known for longer
PATIENCE_S = 600.0  # for the cluster to run a job of a minute
LAG_S = 30.0  # of a shared file system


class Requirement(NamedTuple):
    """One thing that must be right."""

    ok: bool
    what: str
    text: str  # what was found, or what to do


def check_cluster(profile: Profile) -> Iterator[Requirement]:
    """Everything in turn; what can't be told without an earlier requirement isn't looked at."""
    checks = _Checks(profile)
    for what in IN_TURN:
        try:
            text = getattr(checks, what.lower())()
        except MimicError as error:
            yield Requirement(False, what, str(error))
            if what not in BY_THEMSELVES:
                return
        else:
            if text:
                yield Requirement(True, what, text)


class _Checks:
    """Each tells what was found, None where nothing need be, and raises MimicError with what to do."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def programs(self) -> str:
        if missing := [program for program in PROGRAMS if shutil.which(program) is None]:
            raise MimicError(f"{', '.join(missing)}: not found; call this on a login node")
        return shutil.which("sbatch")

    def controller(self) -> str:
        try:
            self.configuration = slurm.configuration()
        except SlurmError as error:
            raise MimicError(f"{error}; ask those who run the cluster") from None
        return f"answers; SLURM {self.configuration.get('SLURM_VERSION', 'unknown')}"

    def partition(self) -> str:
        name, listing = self.profile["slurm_partition"], slurm.call("sinfo", "--noheader", "--format=%R %a")
        states = dict(line.split() for line in listing.splitlines())
        if name not in states:
            raise MimicError(f"{name}: not here; set slurm_partition to one of {', '.join(sorted(states))}")
        if states[name] != "up":
            raise MimicError(f"{name}: is {states[name]}; wait for it or choose another")
        return name

    def gpu(self) -> str | None:
        if not (wanted := self.profile.gpu):
            return None
        partition = f"--partition={self.profile['slurm_partition']}"
        listing = slurm.call("sinfo", "--noheader", partition, "--format=%G")
        counted = re.sub(r"\(.*?\)", "", listing).replace(",", " ").split()  # `gpu:a100:4(S:0-1),shard:8`
        offered = sorted({gres.rpartition(":")[0] for gres in counted} - {""})
        there = ", ".join(offered) or "none"
        if not any(gres == wanted or gres.startswith(f"{wanted}:") for gres in offered):
            raise MimicError(f"{wanted}: no node of the partition has it, but {there}; set gpu_model")
        return f"{wanted}, of {there}"

    def status(self) -> str:
        """Whether the end of a job is noticed: SLURM must tell of it for longer than nobody asks."""
        age = int(re.match(r"\d+", self.configuration.get("MinJobAge", "0")).group())
        accounting = slurm.has_accounting()
        if self.profile.status_command == "sacct":
            if not accounting:
                raise MimicError("there is no accounting for sacct; set slurm-status-command: squeue")
            return "sacct"
        if age < LONGEST_PAUSE_S:
            way_out = "set slurm-status-command: sacct" if accounting else "raise MinJobAge"
            raise MimicError(f"squeue forgets jobs {age} s after their end, too soon; {way_out}")
        return f"squeue tells of jobs for {age} s after their end"

    def mlflow(self) -> str | None:
        uri = os.environ.get("MLFLOW_TRACKING_URI", "")
        if not uri.startswith("http"):
            return None
        try:
            urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=10).close()
        except urllib.error.HTTPError:
            pass  # an answer, if not MLflow's own
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise MimicError(f"{uri}: {reason}; nothing waits for it: python -m mimic track, later") from None
        return uri

    def request(self) -> str:
        """SLURM's own word on partition, account, qos, constraint, time and memory of a training."""
        asked = [*self.profile.options, f"--time={self.profile.number('runtime')}"]
        try:
            slurm.call("sbatch", "--test-only", *asked, "--wrap=true")
        except SlurmError as error:
            raise MimicError(f"{error}; asked for {' '.join(asked)}") from None
        return " ".join(asked)

    def node(self) -> None:
        """Send a job to a compute node, and keep what it found there for the rest."""
        self.shared = (STATE / "slurm_check").absolute()
        question, answer, log = (self.shared / name for name in ("question.txt", "answer.json", "job.log"))
        for old in (answer, log):
            old.unlink(missing_ok=True)
        self.token = secrets.token_hex(8)
        publish.write_text(question, self.token)
        command = shlex.join([sys.executable, "-m", probe.__name__, str(question), str(answer)])
        job = slurm.call(
            *("sbatch", "--parsable", "--job-name=mimic_check", f"--output={log}", "--time=5"),
            *(*self.profile.options, f"--wrap={command}"),
        ).strip()
        number = job.split(";")[0]
        squeue = ("squeue", "--noheader", "--states=all", f"--jobs={number}")
        if not _until(PATIENCE_S, lambda: slurm.call(*squeue, "--format=%T").strip() in slurm.ENDED):
            reason = slurm.call(*squeue, "--format=%r").strip()
            slurm.call("scancel", number)
            raise MimicError(f"job {job} got none within {PATIENCE_S / 60:.0f} minutes: {reason}")
        self.found = json.loads(answer.read_text("utf-8")) if _until(LAG_S, answer.exists) else {}
        self.host = self.found.get("host", "a node")
        try:
            self.said = log.read_text(encoding="utf-8").strip().splitlines()[-1]
        except (OSError, IndexError):
            self.said = f"{log} has no word of it"

    def folder(self) -> str:
        if self.found.get("question") != self.token:
            files = f"{self.shared}: {self.host} does not see these files, or not the same"
            raise MimicError(f"{files}: {self.said}")
        return f"{Path.cwd()} is the same on {self.host}"

    def python(self) -> str:
        if "torch" not in self.found:
            raise MimicError(f"{sys.executable}: does not work on {self.host}: {self.said}")
        return f"{sys.executable} with torch {self.found['torch']}"

    def cuda(self) -> str | None:
        if self.profile.gpu and not self.found["gpu"]:
            none = f"torch {self.found['torch']} finds no GPU on {self.host}"
            raise MimicError(f"{none}; install a build for its driver, or set gpu: 0")
        return self.found["gpu"] if self.profile.gpu else None


def _until(seconds: float, look: Callable[[], object]) -> object:
    """What `look` finds that is true, looking every second; what it finds at last after so many seconds."""
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(1)
    return found
