"""What is measured of whole programs: starts, Snakemake's part, calls that have nothing to do, memory."""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.clocks import Seconds, timed
from benchmarks.subjects import ROOT, parameters_of
from benchmarks.tables import Table
from mimic.config.parameters import GROUPS
from mimic.engine.open_study import open_study
from mimic.report.write import write_report
from mimic.support.context import Context

SNAKEMAKE = (sys.executable, "-m", "snakemake")
TINY = ROOT / "tests/studies/tiny.yaml"
TIMES = {"wall s": "seconds", "processor s": "seconds"}
IMAGES = 256  # of trainings whose start and memory count
JOBS = {
    "laptop": {
        "laptop's teacher": ["teachers/t1"],
        "conv2, 1M": ["students/conv2-1M-labels-s1"],
        "conv1 to conv4, 1M, a cohort": [f"students/conv{n}-1M-labels-s1" for n in (1, 2, 3, 4)],
    },
    "paper": {
        "paper's best teacher": ["teachers/t01"],
        "conv4, 10M": ["students/conv4-10M-labels-s1"],
    },
}
QUICK_JOBS = {"laptop": {"conv2, 1M": ["students/conv2-1M-labels-s1"]}}
BOOTSTRAP = 2000  # resamples of a report, as in all presets


@dataclass(frozen=True)
class Done:
    """A program that has ended."""

    seconds: Seconds  # of the processor: its own and of all that it started
    output: str


def run(folder: Path, *command: str) -> Done:
    """Run a program in `folder`. Raises RuntimeError with its output when it fails."""
    environment = os.environ | {"MIMIC_TRACKING": "off", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile("w+") as output:
        started = time.perf_counter()
        child = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit status {child.returncode}\n{text}")
    return Done(Seconds(wall, usage.ru_utime + usage.ru_stime), text)


# A program's greatest memory counts that of the process that forked it, before it became itself: so a small
# one starts it.
SMALL = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""


def peak_memory(folder: Path, *command: str) -> float:
    """MB that a program, or one that it started, held at most; errors as of `run`."""
    done = run(folder, sys.executable, "-c", SMALL, *command)
    return int(done.output.split()[-1]) / (1024 if sys.platform != "darwin" else 1024**2)


class StudyFolder:
    """A folder with what a clone has, and a study at hand."""

    def __init__(self, folder: Path, content: dict) -> None:
        self.path = folder
        folder.mkdir()
        for name in ("Snakefile", "profiles", "envs", "presets"):
            (folder / name).symlink_to(ROOT / name)
        (folder / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        self.results = Path("results") / content["study"]

    def snakemake(self, *arguments: str) -> Done:
        return run(self.path, *SNAKEMAKE, *arguments)

    def jobs(self, *folders: str) -> float:
        """Run a job, or a cohort, as the Snakefile does: MB that it held at most."""
        results = [str(self.results / folder) for folder in folders]
        command = [sys.executable, "-m", "mimic", "run", "--threads", "1", *results]
        return peak_memory(self.path, *command)


def starts(repetitions: int, whole: bool) -> tuple[Table, Table]:
    """From a job's call to its first step, and the memory that whole jobs take at most."""
    first = Table(
        "Start", "From the call of a job (`mimic run`) to the end of its first training step.", TIMES
    )
    memory = Table(
        "Memory",
        f"The most that a job held: one thread, batches of 128, {3 * IMAGES} images (one more: 3 kB more).",
        {"MB": "megabytes"},
    )
    with tempfile.TemporaryDirectory() as folder:
        for preset, jobs in (JOBS if whole else QUICK_JOBS).items():
            study = StudyFolder(Path(folder) / preset, _small(preset))
            study.snakemake("-n")  # writes the specs
            study.jobs("data")
            for name, members in jobs.items():
                if preset == "laptop" and len(members) == 1:
                    first.add(name, *_first_steps(study, members[0], repetitions))
                memory.add(name, study.jobs(*members))
    return first, memory


def _small(preset: str) -> dict:
    """A preset without searches, on few images, for one epoch."""
    content = parameters_of(ROOT / "presets" / f"{preset}.yaml")
    content["data"] |= {"train": IMAGES, "validation": 2 * IMAGES, "test": IMAGES}
    content["ensemble"]["size"] = 1
    content["search"] |= dict.fromkeys(("teachers", *GROUPS.values()))
    for group in ("teachers", "hard_label_twins"):
        content[group]["schedule"] = {"kind": "one_cycle", "epochs": 1}
    return content


def _first_steps(study: StudyFolder, job: str, repetitions: int) -> tuple[list[float], list[float]]:
    """Wall and processor seconds."""
    walls, processors = [], []
    for _ in range(repetitions):
        started = time.time()
        done = run(study.path, sys.executable, "-m", "benchmarks.first_step", str(study.results / job))
        ended, processor = json.loads(done.output.splitlines()[-1])
        walls.append(ended - started)
        processors.append(processor)
    return walls, processors


def snakemake(repetitions: int, whole: bool) -> list[Table]:
    """Snakemake's overhead a job, calls that have nothing to do, and, of a whole study, its report."""
    content = yaml.safe_load(TINY.read_text(encoding="utf-8"))
    content["report"]["bootstrap"] = BOOTSTRAP
    target = "report.html" if whole else "results/tiny/students/conv2-20k-labels-s1/model.safetensors"
    with tempfile.TemporaryDirectory() as folder:
        study = StudyFolder(Path(folder) / "study", content)
        begun = study.snakemake("--cores", "1", target)
        calls = Table("Calls that have nothing to do", _no_ops_note(whole), TIMES)
        commands = {
            "`snakemake --version`: Snakemake's own start": ["--version"],
            "`snakemake -n`, all is there": ["-n", target],
            "`snakemake`, all is there": [target],
        }
        if whole:
            paper = ["-n", "--config", "params=presets/paper.yaml"]
            commands["`snakemake -n` of the paper preset, nothing is there"] = paper
        for name, arguments in commands.items():
            taken = [study.snakemake(*arguments).seconds for _ in range(repetitions)]
            calls.add(name, [t.wall for t in taken], [t.processor for t in taken])
        idle = calls.rows["`snakemake`, all is there"][0]
        tables = [_overhead(study, begun, min(idle)), calls]
        if whole:
            tables.append(_report(study, repetitions))
    return tables


def _no_ops_note(whole: bool) -> str:
    return f"In the tests' tiny study, of which {'all' if whole else 'one student'} is there."


def _overhead(study: StudyFolder, begun: Done, idle: float) -> Table:
    """What a study took besides its steps' own work, by the wall, one job after another."""
    (jobs,) = re.findall(r"(\d+) of \1 steps", begun.output)[-1:]
    benchmarks = list((study.path / ".mimic/tiny/benchmarks").rglob("*.tsv"))
    programs = sum(float(path.read_text().splitlines()[1].split("\t")[0]) for path in benchmarks)
    sidecars = [json.loads(path.read_text()) for path in (study.path / study.results).rglob("job.json")]
    steps = sum(sidecar["provenance"]["seconds"] for sidecar in sidecars)
    table = Table(
        "Snakemake's overhead",
        "Of the tests' tiny study, one job after another, by the wall, without Snakemake's own start.",
        {"jobs": "count", "Snakemake, s a job": "seconds", "starts of processes, s each": "seconds"},
    )
    processes = len(benchmarks)
    own = (begun.seconds.wall - idle - programs) / int(jobs)
    table.add("the tiny study", float(jobs), own, (programs - steps) / processes)
    return table


def _report(study: StudyFolder, repetitions: int) -> Table:
    """Writing the report of the finished study, in this process."""
    table = Table(
        "Report", f"Of the tests' tiny study, {BOOTSTRAP} resamples, without the process's start.", TIMES
    )
    with contextlib.chdir(study.path), tempfile.TemporaryDirectory() as folder:
        job = open_study(Path("params.yaml")).job("report")
        inputs = {upstream.id: upstream.folder for upstream in job.upstream}
        context = Context(job.task, Path(folder), inputs, progress=lambda line: None)
        taken = _repeated(lambda: write_report(context), repetitions)
    table.add("8 models", [t.wall for t in taken], [t.processor for t in taken])
    return table


def _repeated(work: Callable[[], object], repetitions: int) -> list[Seconds]:
    work()  # warms up
    return [timed(work) for _ in range(repetitions)]
