"""What the Snakefile needs to know of a study, and what must be right before its first job."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from mimic.core import dvc_lock, identity, publish, specs
from mimic.core.alone import RUN_LOCK
from mimic.core.cohorts import RECORDED, Cohort, Cohorts
from mimic.core.errors import MimicError
from mimic.core.identity import Keys
from mimic.core.jobs import Job
from mimic.core.parameters import GROUPS, Parameters
from mimic.core.reading import read_parameters
from mimic.core.study import Study, student_variants
from mimic.data.sources import check_source
from mimic.search.check import check_student_space, check_teacher_space, misfit
from mimic.search.points import complete

FROZEN = "MIMIC_FROZEN_PARAMETERS"  # where a job's own snakemake finds the parameters of its main process
LAST_PASS = 60.0  # seconds; `mimic track` sends later what doesn't get through
LOOKS_ONLY = {"-n", "--dry-run", "--dryrun", "--dag", "--rulegraph", "--summary", "--lint", "--list-rules"}


def check_nets(parameters: Parameters) -> None:
    """Raise MimicError when a variant's widths can't meet its budget."""
    data = parameters.data
    for v in student_variants(parameters):
        if reason := misfit(v.student, v.family, v.budget, data.classes, data.image_size):
            raise MimicError(f"{GROUPS[v.arm]}.variants.{v.family}.{v.budget}: {reason}")


def check_searches(parameters: Parameters) -> None:
    """Raise MimicError when a search could propose what can't be trained."""
    search, data = parameters.search, parameters.data
    try:
        if search.teachers:
            place = "teachers.space"
            default = next(iter(parameters.teachers.members.values()))
            check_teacher_space(search.teachers.space, complete(default, parameters.augmentation.hsv))
        for arm, effort in parameters.searches.items():
            for family, budgets in effort.spaces.items() if effort else ():
                for budget, space in budgets.items():
                    place = f"{GROUPS[arm]}.spaces.{family}.{budget}"
                    default = parameters.groups[arm].variants[family][budget]
                    check_student_space(space, default, family, budget, data.classes, data.image_size)
    except MimicError as error:
        raise MimicError(f"search.{place}: {error}") from None


def open_study(params: Path) -> Study:
    """The study of a parameter file, checked. Raises MimicError with one line for what is wrong."""
    parameters = read_parameters(params)
    try:
        check_nets(parameters)
        check_searches(parameters)
    except MimicError as error:
        raise MimicError(f"{params}: {error}") from None
    return Study(parameters)


def _note(text: str | None) -> None:
    if text:
        print(f"note: {text}", file=sys.stderr)


class Workflow:
    """The study as rules see it. In the main process it first brings specs and dates in step."""

    def __init__(self, params: Path, is_main: bool) -> None:
        # Jobs say `python`: it is to be the one that runs snakemake, also where no environment is active.
        os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        if not is_main:  # a cluster job's own snakemake: the DAG is the one that its main process saw
            params = Path(os.environ.get(FROZEN, params))
        self.study = open_study(params)
        self._cohorts = Cohorts(self.study)
        self._params = params
        self._lock = None
        self._tracker = None
        self._watch = None
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
        lock = FileLock(RUN_LOCK)
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
        _note(dvc_lock.absent(self.study) if stale else dvc_lock.unrecorded(self.study))
        specs.write_specs(self.study, keys)
        self._freeze(params)

    def _freeze(self, params: Path) -> None:
        """Keep the parameters as they are now for the jobs of this run, whatever is edited meanwhile."""
        text = params.read_text(encoding="utf-8")
        frozen = specs.STATE / self.study.name / "parameters" / f"{identity.digest(text)}.yaml"
        publish.write_text(frozen, text)
        self._params = frozen
        os.environ[FROZEN] = str(frozen)

    def start_helpers(self, executor: str) -> None:
        """Mirror the runs into MLflow from a process of its own, which jobs never wait for; watch SLURM."""
        log = Path("logs") / self.study.name / "track.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "mimic", "track", "--params", str(self._params)]
        with open(log, "a", encoding="utf-8") as file:
            self._tracker = subprocess.Popen(
                [*command, "--follow", str(os.getpid())], stdout=file, stderr=file, start_new_session=True
            )
        if executor == "slurm":
            from snakemake.logging import logger

            from mimic.cluster.watch import attend

            self._watch = attend(lambda text: logger.warning(f"mimic: {text}"))

    def stop_helpers(self) -> None:
        """Let the tracker send what is left, if that takes no more than a moment."""
        if self._watch:
            self._watch.stop()
        if self._tracker is None:
            return
        self._tracker.terminate()
        try:
            self._tracker.wait(LAST_PASS)
        except subprocess.TimeoutExpired:
            self._tracker.kill()

    def note_unrecorded(self) -> None:
        """Say that DVC doesn't hold what was just made."""
        _note(dvc_lock.unrecorded(self.study))

    def specs(self, step: str) -> Callable | list[str]:
        """The specs of a job of `step`, or of a cohort's members: a function of its wildcards."""
        return self._of(step, self._specs_of)

    def upstream(self, step: str) -> Callable | list[str]:
        """What says that the jobs upstream are done, sidecars and records: their dates follow the keys."""
        return self._of(step, lambda todo: list(dict.fromkeys(self._done(job) for job in todo.upstream)))

    def files(self, step: str) -> Callable | list[str]:
        """The files that jobs upstream hand over, for ancient(): their dates mean nothing."""
        return self._of(step, self._files_of)

    def outputs(self, step: str) -> str | list[str]:
        """What Snakemake knows of a job's results, with the wildcard {name} where there are several jobs."""
        if step in RECORDED:
            return str(specs.STATE / self.study.name / "done" / step / "{name}.json")
        job = self.study.jobs(step)[0]
        if self._is_single(step):
            return [str(path) for path in job.files]
        return [str(path.parent.parent / "{name}" / path.name) for path in job.files]

    def below(self, folder: str) -> list[str]:
        """What says that every job with results below a folder of the study is done."""
        jobs = [job for job in self.study.jobs() if job.folder.is_relative_to(self.study.folder / folder)]
        return list(dict.fromkeys(self._done(job) for job in jobs))

    def _of(self, step: str, files: Callable[[Job | Cohort], list[str]]) -> Callable | list[str]:
        if self._is_single(step):
            return files(self.study.job(step))
        if step in RECORDED:
            return lambda wildcards: files(self._cohorts.named(step, wildcards.name))
        return lambda wildcards: files(self.study.job(step, wildcards.name))

    def _specs_of(self, todo: Job | Cohort) -> list[str]:
        jobs = todo.members if isinstance(todo, Cohort) else [todo]
        return [str(specs.spec_path(self.study.name, job.step, job.name)) for job in jobs]

    def _files_of(self, todo: Job | Cohort) -> list[str]:
        """Models don't count: Snakemake knows them by their records."""
        reader = todo.members[0] if isinstance(todo, Cohort) else todo
        published = [up for up in todo.upstream if up.step not in RECORDED]
        return [str(file) for up in published for file in reader.inputs(up).values()]

    def _done(self, job: Job) -> str:
        cohort = self._cohorts.of(job)
        return str(specs.record_path(self.study.name, cohort) if cohort else job.sidecar)

    def _is_single(self, step: str) -> bool:
        jobs = self.study.jobs(step)
        return len(jobs) == 1 and jobs[0].name == step
