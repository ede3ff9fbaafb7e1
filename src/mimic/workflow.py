"""What the Snakefile asks of a study, and what must be right before its first job."""

import gc
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from snakemake.exceptions import WorkflowError
from snakemake.utils import available_cpu_count

from mimic.dag.cohorts import Cohorts
from mimic.dag.jobs import Job
from mimic.dag.study import Study
from mimic.data.sources import check_source
from mimic.engine import dvc_lock, ending, stamps, store
from mimic.engine.keys import Keys, digest
from mimic.engine.open_study import RESULTS, open_study
from mimic.engine.run_lock import RUN_LOCK
from mimic.engine.specs import anew, stale_jobs
from mimic.engine.state import LOG_ALONE, STATE
from mimic.plan.limits import check_limits
from mimic.support import disk, publish
from mimic.support.errors import MimicError
from mimic.support.processors import usable

if TYPE_CHECKING:
    from snakemake.workflow import Workflow

FROZEN = "MIMIC_FROZEN_PARAMETERS"  # where a job's own snakemake finds the parameters of its main process
LAST_PASS = 60.0  # seconds; `mimic track` sends later what doesn't get through
LOOKS_ONLY = {"-n", "--dry-run", "--dryrun", "--dag", "--rulegraph", "--filegraph", "--summary", "-S", "-D"}
LOOKS_ONLY |= {"--detailed-summary", "--lint", "--list-rules", "--list", "-l", "--report", "--d3dag"}


class SnakefileStudy:
    """The study as rules see it. In the main process it first brings the specs in step."""

    def __init__(self, params: Path, workflow: "Workflow") -> None:
        """Raises WorkflowError with one line for what is wrong in the parameters."""
        # Jobs say `python`: it is to be the one that runs snakemake, also where no environment is active.
        os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        gc.set_threshold(100_000, 50, 100)  # the DAG is a million objects that stay: look through them seldom
        self._workflow = workflow
        self._lock = None
        self._tracker: subprocess.Popen | None = None
        self._watch = None
        self._keys = Keys()
        self._stale: set[str] | None = None
        self._todo: set[str] | None = None
        if not workflow.is_main_process:  # a cluster job's own snakemake: it sees what its main process saw
            params = Path(os.environ.get(FROZEN, params))
        self._params = self._given = params
        try:
            if set("{}") & set(str(Path.cwd())):
                raise MimicError(f"{Path.cwd()}: braces are wildcards to Snakemake; rename the folder")
            self._study = open_study(params, for_keys=workflow.is_main_process)
            self._cohorts = Cohorts(self._study)
            if workflow.is_main_process:
                self._prepare()
                fit_cores(workflow)
        except MimicError as error:
            raise WorkflowError(str(error)) from None
        except OSError as error:
            if line := disk.refused(error):
                raise WorkflowError(line) from None
            raise
        self.parameters = self._study.parameters
        stamps.dates_of(workflow, stamps.made(self._study, self._todo or set()))

    def follow_keys(self) -> None:
        """Have the rules run what is stale, and nothing else. The last word of the Snakefile."""
        stamps.follow_keys(self._workflow)

    def _prepare(self) -> None:
        study, looks_only = self._study, bool(LOOKS_ONLY & set(sys.argv))
        stale = stale_jobs(study, self._keys)
        self._stale, self._todo = {job.id for job in stale}, stamps.to_do(study, stale)
        try:
            if "data/data" in self._stale:
                check_source(study.parameters.data)
            if stale:
                for note in check_limits(study):
                    _note(note)
        except MimicError as error:
            raise MimicError(f"{self._params}: {error}") from None
        lock = FileLock(RUN_LOCK)
        try:
            STATE.mkdir(exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            if not looks_only:
                raise MimicError(
                    f"{lock.lock_file}: another snakemake is at work in this folder; wait for it or stop it"
                ) from None
            return
        except OSError as error:
            if not looks_only or "--report" in sys.argv or error.errno not in disk.FORBIDDEN:
                raise
            self._look_from_aside()
        self._lock = lock  # held until the process ends, however it ends
        self._note_of_dvc(dvc_lock.absent if stale else dvc_lock.unrecorded)
        if not looks_only:
            stamps.renew_results(study, self._todo, RUN_LOCK)
        stamps.write_specs(study, self._keys, self._todo)
        self._freeze()

    def _look_from_aside(self) -> None:
        """Where nothing can be written, look from a folder of our own: Snakemake leaves files when it looks.

        What is to be made is not there, since Snakemake refuses to plan what it may not write.
        """
        self._aside = tempfile.TemporaryDirectory(prefix="mimic-")  # goes with this process
        made = stamps.made(self._study, self._todo)
        own = {STATE, RESULTS, Path(".snakemake")}
        files = [file for job in self._study.jobs() for file in job.files]
        there = {path for path in [*files, Path(".snakemake/metadata")] if path.exists()}
        for path in {*Path().iterdir(), *there} - own - set(map(Path, made)):
            link = Path(self._aside.name, path)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path.absolute())
        self._workflow.workdir(self._aside.name)
        STATE.mkdir()

    def _freeze(self) -> None:
        """Keep the parameters as they are now for the jobs of this run, whatever is edited meanwhile."""
        text = self._params.read_text(encoding="utf-8")
        frozen = STATE / self._study.name / "parameters" / f"{digest(text)}.yaml"
        publish.write_text(frozen, text)
        self._params = frozen
        os.environ[FROZEN] = str(frozen)

    # What rules ask.

    def names(self, *steps: str) -> list[str]:
        """The names of all jobs of some steps."""
        return [job.name for job in self._study.jobs(*steps)]

    def rounds(self) -> dict[str, list[str]]:
        """The names of the trials of each round, by its place: SEARCH/rNN."""
        trials = groupby(self._study.jobs("trial"), key=lambda trial: trial.folder.parent)
        return {"/".join(folder.parts[-2:]): [trial.name for trial in group] for folder, group in trials}

    def places(self, trials: int) -> str:
        """What matches the places of rounds of so many trials: the usual size is all that isn't listed."""
        sizes = {place: len(names) for place, names in self.rounds().items()}
        (usual, _), *_ = Counter(sizes.values()).most_common(1)
        wanted = (lambda size: size != usual) if trials == usual else (lambda size: size == trials)
        listed = "|".join(re.escape(place) for place, size in sizes.items() if wanted(size))
        return rf"(?!(?:{listed or '/'})/)[^/]+/r\d\d" if trials == usual else listed

    def job(self, step: str, name: str | None = None) -> Job:
        """One job."""
        return self._study.job(step, name)

    def results(self, *steps: str) -> list[str]:
        """The sidecars of all jobs of some steps, or of all: whoever makes one makes the files beside it."""
        return [str(job.sidecar) for job in self._study.jobs(*steps)]

    def files_read(self, step: str, name: str, *upstream: str) -> list[str]:
        """The files that a job reads of the results of some other steps."""
        job = self._study.job(step, name)
        return [str(path) for up in job.upstream if up.step in upstream for path in job.inputs(up).values()]

    def members(self, step: str, cohort: str) -> list[str]:
        """The results of a cohort's members, for `mimic run`."""
        return [str(job.folder) for job in self._cohorts.named(step, cohort).members]

    def untrained(self, step: str, cohort: str) -> str:
        """The names of a cohort's members that aren't trained yet, for people."""
        members = self._cohorts.named(step, cohort).members
        names = [job.name for job in members if self._stale is None or job.id in self._stale]
        return ", ".join(names or [job.name for job in members])

    def trained(self, step: str, *names: str) -> list[str]:
        """The records of the cohorts that train some jobs; none of those whose results are there already."""
        jobs = [self._study.job(step, name) for name in names]
        waiting = [job for job in jobs if self._todo is None or job.id in self._todo or anew()]
        return list(dict.fromkeys(map(self._record, waiting)))

    def _record(self, job: Job) -> str:
        """The record of the cohort that trains a job, "" of one that trains alone."""
        cohort = self._cohorts.of(job)
        return str(stamps.record_path(self._study.name, cohort)) if cohort else ""

    def kept(self, step: str, *names: str) -> list[str]:
        """Where the store keeps the results of some jobs, under their keys."""
        return [str(store.shelf(self._keys[self._study.job(step, name)])) for name in names]

    # A run.

    def begin(self) -> None:
        """Keep the earlier results of all that Snakemake has decided to run, forced too: it deletes them."""
        made = {str(file) for job in self._workflow.dag.needrun_jobs() for file in job.output}
        jobs = [job for job in self._study.jobs() if made & {str(job.sidecar), self._record(job)}]
        for job in jobs:
            store.keep_what_is_there(job.sidecar, job.outputs)
        if mark := anew():
            stamps.mark_anew(self._study, jobs, self._keys, mark)
        ending.heed_signals()
        self._start_helpers()

    def _start_helpers(self) -> None:
        """Mirror the runs into MLflow, unless MIMIC_TRACKING is off, and watch SLURM; no job waits for it."""
        if self._workflow.local_exec and self._has_screen():
            os.environ[LOG_ALONE] = "1"  # inherited by jobs; a job of SLURM says all that it has to say
        if os.environ.get("MIMIC_TRACKING") != "off":
            self._start_tracker()
        if self._workflow.executor_plugin.name == "slurm":
            from mimic.cluster.watch import attend

            self._watch = attend(_log)

    def _has_screen(self) -> bool:
        """Whether a logger tells how jobs go: what these say would come in between."""
        return any(handler.writes_to_stream for handler in self._workflow.logger_manager.plugin_handlers)

    def _start_tracker(self) -> None:
        log = Path("logs") / self._study.name / "track.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "mimic", "track", "--params", str(self._params)]
        with open(log, "a", encoding="utf-8") as file:
            self._tracker = subprocess.Popen(
                [*command, "--follow", str(os.getpid())], stdout=file, stderr=file, start_new_session=True
            )

    def note_saved(self) -> None:
        """Say which trainings the next call goes on with."""
        if saved := len(ending.saved(self._study, self._keys)):
            trainings = "1 training is" if saved == 1 else f"{saved} trainings are"
            _log(f"{trainings} saved at the point reached; call snakemake again to go on from there")

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
        self._note_of_dvc(dvc_lock.unrecorded)

    def _note_of_dvc(self, notice: Callable[[Study], str | None]) -> None:
        """Say what dvc.lock tells, which is of the study of params.yaml alone."""
        if self._given != dvc_lock.PARAMS:
            return
        try:
            _note(notice(self._study))
        except MimicError as error:
            _note(str(error))


def fit_cores(workflow: "Workflow") -> None:
    """Have `cores: all` be all that this process may use, which a container's quota or SLURM may limit."""
    cores = workflow.global_resources["_cores"].value
    if workflow.nodes is None and cores == available_cpu_count() > (fewer := usable()):
        workflow.register_resource("_cores", fewer)
        _note(f"{fewer} of this machine's {cores} cores may be used here, so jobs take no more")


def _log(text: str) -> None:
    """Say something while Snakemake's own lines come and go."""
    from snakemake.logging import logger

    logger.warning(f"mimic: {text}")


def _note(text: str | None) -> None:
    if text:
        print(f"note: {text}", file=sys.stderr)
