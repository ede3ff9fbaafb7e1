"""A study on a cluster, and what a test does to it."""

import hashlib
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from cluster import Cluster

from mimic.cluster.profile import Profile
from mimic.cluster.requirements import check_cluster

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROFILE = ROOT / "profiles/slurm/config.yaml"
LONG = "conv2"  # students whose training is not over before it is struck
LONGEST_S = 600  # a backstop: nothing here takes as long, and what hangs must not hang the tests
PACE = [
    *("--retries", "9"),
    *("--max-threads", "1"),
    *("--slurm-init-seconds-before-status-checks", "1"),
    *("--max-status-checks-per-second", "1"),
]


class ClusterStudy:
    """A folder with a study, and the snakemake that runs it on a cluster."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.folder = folder
        self.cluster = cluster
        self.target = "report.html"
        self.longest_s = LONGEST_S
        self.main: psutil.Popen | None = None
        self.jobs: list[str] = []  # state and comment of each job of SLURM, when the study had finished
        self._calls = 0
        self._struck: set[psutil.Process] = set()

    @property
    def said(self) -> str:
        """What the main processes have said."""
        return (self.folder / "said.txt").read_text()

    def python(self, *arguments: str, **environment: str) -> psutil.Popen:
        """Start Python in the folder, as a user of the cluster's login node."""
        self._calls += 1
        path = os.pathsep.join([str(HERE / "fastpoll"), *filter(None, [os.environ.get("PYTHONPATH")])])
        with open(self.folder / "said.txt", "a") as said:
            return psutil.Popen(
                [sys.executable, *arguments], cwd=self.folder, stdout=said, stderr=said,
                env=os.environ | self.cluster.environment | {"PYTHONPATH": path} | environment,
            )  # fmt: skip

    def change_profile(self, *changes: tuple[str, str]) -> None:
        """Give the study a profile of its own, with texts in it replaced."""
        (self.folder / "slurm").unlink()
        (self.folder / "slurm").mkdir()
        (self.folder / "slurm/config.yaml").write_text(changed_profile(*changes))

    def start(self, *arguments: str, **environment: str) -> None:
        """Call snakemake as documented; `arguments` are added."""
        command = ["-m", "snakemake", "--profile", "slurm", self.target, *PACE, *arguments]
        self.main = self.python(*command, **environment)

    def resume(self, option: str, *arguments: str, **environment: str) -> None:
        """Call `mimic resume`, which becomes snakemake."""
        command = ["--profile", "slurm", self.target, *PACE, *arguments]
        self.main = self.python("-m", "mimic", "resume", option, "--", *command, **environment)

    def wait(self) -> int:
        """The exit status of the main process."""
        end = time.monotonic() + self.longest_s
        while time.monotonic() < end:
            with suppress(psutil.TimeoutExpired):
                return self.main.wait(5)
            self.cluster.refuse_if_broken()
        pytest.fail(f"it hangs: {self.said[-3000:]}")

    def finish(self) -> None:
        """Wait for the main process, which is to succeed."""
        assert self.wait() == 0, self.said[-5000:]

    def kill(self) -> None:
        """Kill the main process, if it runs, with the worst of signals."""
        if self.main and self.main.poll() is None:
            self.main.send_signal(signal.SIGKILL)
            self.main.wait()

    def wait_for_snakemake(self) -> None:
        """Wait until the main process submits jobs: before, `mimic resume` waits for earlier ones."""
        while self.said.count("SLURM run ID") < self._calls:
            assert self.main.poll() is None, self.said[-5000:]
            time.sleep(0.2)

    def strike(self) -> psutil.Process:
        """A worker of SLURM whose training has begun and that was not given out before."""
        self.wait_for_snakemake()
        end = time.monotonic() + LONGEST_S
        while time.monotonic() < end:
            assert self.main.poll() is None, self.said[-5000:]
            for process in self.cluster.processes():
                with suppress(psutil.Error):  # it has ended
                    if process not in self._struck and self._trains(process):
                        self._struck.add(process)
                        return process
            self.cluster.refuse_if_broken()
            time.sleep(0.1)
        pytest.fail(f"nothing trains: {self.said[-3000:]}")

    def _trains(self, process: psutil.Process) -> bool:
        line = process.cmdline()
        if line[1:4] != ["-m", "mimic", "run"] or "--cohort" not in line:
            return False
        _, study, *_ = Path(line[-1]).parts  # results/STUDY/students/NAME
        epochs = [  # of which it has ended one: before, it may not listen to signals yet
            self.folder / ".mimic" / study / "training/student" / Path(word).name / "history.jsonl"
            for word in line
            if word.startswith(f"results/{study}/students/{LONG}")
        ]
        return any(file.exists() and file.stat().st_mtime > process.create_time() for file in epochs)

    def tensors(self) -> dict[str, str]:
        """Every file of tensors up to the students, by path: the digest of its content."""
        root = self.folder / "results"
        files = {file.relative_to(root).as_posix(): file for file in sorted(root.rglob("*.safetensors"))}
        files = {path: file for path, file in files.items() if "/evaluation/" not in path}
        return {path: hashlib.md5(file.read_bytes()).hexdigest() for path, file in files.items()}


def lacking(folder: Path, *changes: tuple[str, str]) -> dict[str, str]:
    """What `mimic slurm-check` says of each thing that is missing, with texts in the profile replaced."""
    changed = folder / "config.yaml"
    changed.write_text(changed_profile(*changes))
    return {needed.what: needed.text for needed in check_cluster(Profile(changed)) if not needed.ok}


def changed_profile(*changes: tuple[str, str]) -> str:
    """The profile, with texts in it replaced."""
    text = PROFILE.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def job_number(process: psutil.Process) -> str:
    """The SLURM job that a process belongs to."""
    return process.environ()["SLURM_JOB_ID"]


def log_of(process: psutil.Process) -> Path:
    """Where a worker says what it does; its next attempt replaces the file."""
    line = process.cmdline()
    return Path(process.cwd()) / line[line.index("--log") + 1]


def node(process: psutil.Process) -> str:
    """The node that a process runs on."""
    return process.environ()["SLURMD_NODENAME"]


def make_study(folder: Path, cluster: Cluster, params: Path = HERE / "study.yaml") -> ClusterStudy:
    """A new study in a new folder, as in a user's clone."""
    folder.mkdir()
    for entry in ("Snakefile", "profiles", "slurm", "envs", "presets"):
        (folder / entry).symlink_to(ROOT / entry)
    shutil.copy(params, folder / "params.yaml")
    return ClusterStudy(folder, cluster)
