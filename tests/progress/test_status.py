"""A study that is half done, told from its files alone."""

import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from mimic.__main__ import main
from mimic.engine.open_study import open_study
from mimic.engine.specs import spec_path
from mimic.plan.hardware import TABLE
from mimic.plan.processes import processes_of
from mimic.progress import outlook
from mimic.progress.looking import Looking, last_run
from mimic.progress.status import Running, Status

TINY = Path(__file__).parents[1] / "studies/tiny.yaml"
PARAMS = Path("params.yaml")
STARTED = "2026-01-02T03:04:05+00:00"


class HalfDone:
    """The folder of the tiny study, as jobs leave it."""

    def __init__(self) -> None:
        shutil.copy(TINY, PARAMS)
        self.study = open_study(PARAMS, for_keys=False)
        for job in self.study.jobs():
            spec = spec_path(job.folder)
            spec.parent.mkdir(parents=True)
            spec.write_text(json.dumps({"study": "tiny", "step": job.step, "name": job.name, "key": "ab"}))

    def finish(self, step: str, name: str | None = None, accuracy=None, key="ab", seconds=20.0) -> None:
        job = self.study.job(step, name)
        job.folder.mkdir(parents=True, exist_ok=True)
        if accuracy is not None:
            (job.folder / "record.json").write_text(json.dumps({"validation_accuracy": accuracy}))
        ran = {"started": STARTED, "seconds": seconds, "cohort": 1, "device": "cpu"}
        sidecar = {"key": key, "files": dict.fromkeys(job.outputs), "provenance": ran}
        job.sidecar.write_text(json.dumps(sidecar))

    @contextmanager
    def at_work(self, step: str, name: str, errors=()):
        """A process trains it; of each epoch that it ended, the validation error."""
        folder = Path(".mimic/tiny/training", step, name)
        folder.mkdir(parents=True, exist_ok=True)
        lines = [
            json.dumps({"epoch": 1, "validation_error": error, "seconds": 10.0}) + "\n" for error in errors
        ]
        (folder / "history.jsonl").write_text("".join(lines) + '{"epoch": 9')  # a line is being written
        lock = Path(".mimic/tiny/locks", step, f"{name}.lock")
        lock.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):
            yield

    def log(self, name: str, line: str) -> None:
        path = Path("logs/tiny", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"2026-01-02 03:04:05 before\n2026-01-02 03:04:06 {line}\n")


@pytest.fixture
def half_done(tmp_path, monkeypatch) -> HalfDone:
    monkeypatch.chdir(tmp_path)
    return HalfDone()


@pytest.fixture
def ten_seconds(monkeypatch) -> None:
    """By the plan each process takes ten seconds, but for what is no work of nets."""
    free = {"augmentation": 0.0, "saving": 0.0, "layer": 0.0, "flops": {"fp32": 1e30}}
    monkeypatch.setitem(TABLE, "here", replace(TABLE["laptop-2-cores"], start=10.0, **free))
    monkeypatch.setattr(outlook, "PROCESSOR", "here")
    monkeypatch.setattr(outlook, "GPU", "here")


def tree() -> dict[Path, int]:
    return {path: path.lstat().st_mtime_ns for path in Path().rglob("*")}


def test_what_is_done_runs_and_is_left(half_done):
    half_done.finish("data")
    half_done.finish("teacher", "t1", accuracy=0.63)
    with half_done.at_work("teacher", "t2", errors=[0.3, 0.4]):
        status = Looking(PARAMS).status()
    assert (status.jobs, status.done, status.left) == (23, 2, 20)
    assert status.running == (Running("teacher t2", 2, 2, 0.7),)
    assert dict(status.accuracy) == {"teacher": 0.7}
    assert Looking(PARAMS).status().running == ()  # the lock is free again


def test_looking_writes_nothing(half_done):
    half_done.finish("teacher", "t1", accuracy=0.63)
    half_done.log("teacher/t1.log", "teacher t1: ended")
    before = tree()
    Looking(PARAMS).status()
    assert tree() == before


def test_a_result_of_other_parameters_is_not_done_and_one_made_without_snakemake_is(half_done):
    half_done.finish("teacher", "t1", key="cd")
    half_done.finish("teacher", "t2", key="cd")
    spec_path(half_done.study.job("teacher", "t2").folder).unlink()
    assert Looking(PARAMS).status().done == 1


def test_what_ended_since_the_last_look_is_seen(half_done):
    looking = Looking(PARAMS)
    assert looking.status().done == 0
    half_done.finish("data")
    assert looking.status().done == 1


def test_a_failure_is_told_until_the_job_is_done_or_runs_again(half_done):
    half_done.log("teacher/t1.log", "teacher t1: failed: RuntimeError: too hot")
    half_done.log("teacher/t2.log", "teacher t2: epoch 1/2")
    assert Looking(PARAMS).status().failures == ("teacher t1: RuntimeError: too hot",)
    with half_done.at_work("teacher", "t1"):
        assert Looking(PARAMS).status().failures == ()
    half_done.finish("teacher", "t1")
    assert Looking(PARAMS).status().failures == ()


def test_the_plan_alone_tells_the_time_before_anything_ran(half_done, ten_seconds):
    processes = len(processes_of(half_done.study))
    status = Looking(PARAMS, jobs=1).status()
    assert status.seconds_left == pytest.approx(10 * processes, rel=0.03) and not status.measured


def test_what_took_twice_as_long_doubles_the_time_left(half_done, ten_seconds):
    processes = len(processes_of(half_done.study))
    half_done.finish("data", seconds=1.0)  # which tells nothing of nets
    half_done.finish("teacher", "t1", seconds=20.0)
    with half_done.at_work("teacher", "t2", errors=[0.5]):  # half of its epochs, in ten seconds
        status = Looking(PARAMS, jobs=1).status()
    left = 2 * (10 * (processes - 3) + 5)
    assert status.seconds_left == pytest.approx(left, rel=0.03) and status.measured


def test_it_counts_on_as_many_jobs_side_by_side_as_ever_were(half_done, ten_seconds):
    half_done.finish("teacher", "t1", seconds=10.0)
    alone = Looking(PARAMS).status().seconds_left
    half_done.finish("teacher", "t2", seconds=10.0)
    assert Looking(PARAMS).status().seconds_left < alone - 15


def test_it_says_so_in_lines(half_done, capsys):
    half_done.finish("teacher", "t1", accuracy=0.63)
    half_done.log("teacher/t2.log", "teacher t2: failed: RuntimeError: too hot")
    assert main(["status", ".", "--params", "params.yaml"]) == 0
    first, failed, idle = capsys.readouterr().out.splitlines()
    assert first.startswith("study tiny: 1 of 23 done, 0 running, 22 left · about ")
    assert first.endswith(" · validation: teacher 63.0 %")
    assert failed == "  failed   teacher t2: RuntimeError: too hot"
    assert idle.startswith("  no job runs; last sign of life ")


def test_what_waits_in_slurm_is_told_with_its_reason(half_done, tmp_path, monkeypatch, capsys):
    rows = [("1", "RUNNING", "None"), ("2", "PENDING", "Priority"), ("3", "PENDING", "Priority")]
    rows += [("4", "PENDING", "JobHeldUser"), ("5", "COMPLETED", "None")]
    lines = [f"{'|'.join(row)}|rule_teacher_wildcards_t{row[0]}|{tmp_path}" for row in rows]
    lines.append("6|PENDING|Priority|rule_teacher_wildcards_t1|/another/folder")
    squeue = tmp_path / "bin/squeue"
    squeue.parent.mkdir()
    squeue.write_text("\n".join(["#!/bin/sh", "cat <<END", *lines, "END"]))
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", str(squeue.parent), prepend=os.pathsep)
    assert Looking(PARAMS).status().queue == ()  # nothing here ever went through SLURM
    Path("logs/slurm").mkdir(parents=True)
    assert main(["status", "--params", "params.yaml"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  waiting  2 in SLURM: Priority",
        "  waiting  1 in SLURM: JobHeldUser",
    ]
    squeue.unlink()
    monkeypatch.setenv("PATH", "/nowhere")
    assert Looking(PARAMS).status().queue == ()


def test_json_is_one_line_that_can_be_read_back(half_done, capsys):
    half_done.finish("teacher", "t1", accuracy=0.63)
    assert main(["status", "--params", "params.yaml", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    status = Status.from_json(line)
    assert (status.done, status.accuracy) == (1, (("teacher", 0.63),))
    assert Status.from_json(status.as_json()) == status


def test_the_study_is_the_one_that_ran_last(half_done):
    assert last_run() is None
    frozen = Path(".mimic/tiny/parameters/ab.yaml")
    frozen.parent.mkdir(parents=True)
    shutil.copy(PARAMS, frozen)
    assert last_run() == frozen
