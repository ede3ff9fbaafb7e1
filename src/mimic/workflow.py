"""What the Snakefile needs to know of a study, and what must be right before its first job."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from mimic.core import specs
from mimic.core.errors import MimicError
from mimic.core.identity import Keys
from mimic.core.parameters import Parameters, budget_parameters, read_parameters
from mimic.core.study import Job, Study, student_variants
from mimic.data.sources import check_source
from mimic.nets.budget import solve
from mimic.nets.from_task import CHANNELS

LAST_PASS = 60.0  # seconds; `mimic track` sends later what doesn't get through
LOOKS_ONLY = {"-n", "--dry-run", "--dryrun", "--dag", "--rulegraph", "--summary", "--lint", "--list-rules"}


def check_nets(parameters: Parameters) -> None:
    """Raise MimicError when a variant's widths can't meet its budget."""
    groups = {
        "logits": "students.variants",
        "labels": "hard_label_twins.variants",
        "regularised": "regularised_twins.variants",
    }
    data = parameters.data
    for v in student_variants(parameters):
        try:
            budget = budget_parameters(v.budget)
            solve(
                v.family, budget, v.student.widths, data.classes, CHANNELS, data.image_size, v.student.dropout
            )
        except MimicError as error:
            raise MimicError(f"{groups[v.arm]}.{v.family}.{v.budget}: {error}") from None


def open_study(params: Path) -> Study:
    """The study of a parameter file, checked. Raises MimicError with one line for what is wrong."""
    parameters = read_parameters(params)
    try:
        check_nets(parameters)
    except MimicError as error:
        raise MimicError(f"{params}: {error}") from None
    return Study(parameters)


class Workflow:
    """The study as rules see it. In the main process it first brings specs and dates in step."""

    def __init__(self, params: Path, is_main: bool) -> None:
        # Jobs say `python`: it is to be the one that runs snakemake, also where no environment is active.
        os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        self.study = open_study(params)
        self._params = params
        self._lock = None
        self._tracker = None
        if is_main:
            self._prepare(params)

    def _prepare(self, params: Path) -> None:
        keys = Keys()
        stale = specs.stale_jobs(self.study, keys)
        if any(job.step == "data" for job in stale):
            try:
                check_source(self.study.parameters.data)
            except MimicError as error:
                raise MimicError(f"{params}: data.path: {error}") from None
        lock = FileLock(specs.STATE / "run.lock")
        specs.STATE.mkdir(exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if not LOOKS_ONLY & set(sys.argv):
                raise MimicError(
                    f"{lock.lock_file}: another snakemake is at work in this folder; wait for it or stop it"
                ) from None
            return
        self._lock = lock  # held until the process ends, however it ends
        specs.write_specs(self.study, keys)

    def start_tracking(self) -> None:
        """Have a process of its own mirror the runs into MLflow while jobs run: they never wait for it."""
        command = [sys.executable, "-m", "mimic", "track", "--follow", "--params", str(self._params)]
        log = Path("logs") / self.study.name / "track.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "a", encoding="utf-8") as file:
            self._tracker = subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)

    def stop_tracking(self) -> None:
        """Let the tracker send what is left, if that takes no more than a moment."""
        if self._tracker is None:
            return
        self._tracker.terminate()
        try:
            self._tracker.wait(LAST_PASS)
        except subprocess.TimeoutExpired:
            self._tracker.kill()

    def spec(self, step: str) -> Callable | str:
        """The spec of a job of `step`: a function of its wildcards, or a path where there is one job."""
        if self._is_single(step):
            return str(specs.spec_path(self.study.name, step, step))
        return lambda wildcards: str(specs.spec_path(self.study.name, step, wildcards.name))

    def sidecars(self, step: str) -> Callable | list[str]:
        """The sidecars of the jobs upstream: their dates follow their keys."""
        return self._of_jobs(step, lambda job: [up.sidecar for up in job.upstream])

    def upstream(self, step: str) -> Callable | list[str]:
        """The files that the jobs upstream hand over, for ancient(): their dates mean nothing."""
        return self._of_jobs(step, lambda job: [f for up in job.upstream for f in job.inputs(up).values()])

    def _of_jobs(self, step: str, files: Callable[[Job], list[Path]]) -> Callable | list[str]:
        def of(name: str) -> list[str]:
            return [str(file) for file in files(self.study.job(step, name))]

        return of(step) if self._is_single(step) else lambda wildcards: of(wildcards.name)

    def outputs(self, step: str) -> list[str]:
        """The files that a job of `step` publishes, with the wildcard {name} where there are several jobs."""
        job = self.study.jobs(step)[0]
        if self._is_single(step):
            return [str(path) for path in job.files]
        return [str(path.parent.parent / "{name}" / path.name) for path in job.files]

    def all(self, step: str) -> list[str]:
        """Every sidecar of a step: asking for these is asking for all its results."""
        return [str(job.sidecar) for job in self.study.jobs(step)]

    def _is_single(self, step: str) -> bool:
        return self.study.jobs(step)[0].name == step
