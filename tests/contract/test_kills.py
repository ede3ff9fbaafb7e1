"""After a kill, a failure or an edit amid a run, the next call goes on where the last one ended."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

CONV1, LABELS = "student/conv1-20k-logits-s1", "student/conv1-20k-labels-s1"
COMMANDS = {"snakemake": ("snakemake", "report.html"), "dvc": ("dvc", "repro")}


def processes(folder: Path, pattern: str) -> list[psutil.Process]:
    """What runs in a clone, by a pattern of its command line."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        line = " ".join(process.info["cmdline"] or [])
        if process.info["cwd"] == str(folder) and re.search(pattern, line):
            found.append(process)
    return found


def wait_for(job: str, folder: Path, main: subprocess.Popen) -> None:
    """Until the process of a job has begun."""
    while not processes(folder, f"-m mimic run .*{job}"):
        assert main.poll() is None, f"it ended before {job} began"
        time.sleep(0.02)


def wait_for_a_student(folder: Path, main: subprocess.Popen) -> None:
    wait_for("/cohorts/student/", folder, main)


@pytest.fixture(scope="module")
def undisturbed(by_snakemake, tmp_path_factory) -> dict[str, bytes]:
    """The weights after a change of one student."""
    repository = by_snakemake.copy(tmp_path_factory.mktemp("undisturbed") / "study")
    repository.widen_conv1()
    repository.run("snakemake", "students")
    return repository.weights()


def wait_for_the_end(folder: Path) -> None:
    """Until no job runs in a clone any more, and no snakemake."""
    while processes(folder, "snakemake|-m mimic (?!track)"):
        time.sleep(0.1)


def call_again(repository, command: tuple[str, ...], log: Path) -> str:
    """What the next call prints, and one more where it says that a snakemake still works there."""
    if repository.start(*command, log=log).wait():
        assert "another snakemake is at work in this folder" in log.read_text()
        wait_for_the_end(repository.folder)
        assert repository.start(*command, log=log).wait() == 0, log.read_text()
    wait_for_the_end(repository.folder)
    return log.read_text()


@pytest.mark.parametrize(
    ("whole_group", "engine"),
    [(True, "snakemake"), (False, "dvc")],
    ids=["all processes", "the main process alone"],
)
def test_after_kill_9_the_next_call_finishes_and_trains_nothing_twice(
    repository, tmp_path, engine, whole_group, undisturbed, monkeypatch
):
    monkeypatch.setenv("SNAKEMAKE_LOGGER_MIMIC_OFF", "true")  # jobs say aloud what they do
    before = repository.trainings()
    repository.widen_conv1()
    main = repository.start(*COMMANDS[engine], log=tmp_path / "main.log")
    wait_for_a_student(repository.folder, main)
    os.kill(main.pid, signal.SIGKILL)
    main.wait()
    if whole_group:
        for process in processes(repository.folder, "."):
            process.kill()
    again = call_again(repository, COMMANDS[engine], tmp_path / "again.log")
    assert repository.trained_since(before) == {CONV1}
    assert repository.weights() == undisturbed
    trainings = ((tmp_path / "main.log").read_text() + again).count(f"{CONV1.replace('/', ' ')}: ended")
    assert trainings == 1
    if engine == "snakemake":
        repository.mimic("record")
    repository.assert_nothing_to_do()


def test_sigterm_to_the_main_process_alone_has_trainings_saved_and_the_next_call_goes_on(
    fresh, tmp_path, monkeypatch
):
    monkeypatch.setenv("SNAKEMAKE_LOGGER_MIMIC_OFF", "true")
    fresh.edit("one_cycle, epochs: 1}", "one_cycle, epochs: 200}")
    main = fresh.start("snakemake", "teachers", log=tmp_path / "main.log")
    checkpoints = ".mimic/small/training/teacher/*/checkpoint.safetensors"
    while len(list(fresh.folder.glob(checkpoints))) < 2:
        assert main.poll() is None
        time.sleep(0.02)
    main.terminate()
    assert main.wait() != 0
    assert not processes(fresh.folder, "-m mimic run")
    told = (tmp_path / "main.log").read_text()
    assert "2 trainings are saved at the point reached; call snakemake again" in told
    again = fresh.run("snakemake", "teachers")
    assert again.count("going on from epoch") == 2


def test_what_a_job_made_that_outlived_its_snakemake_is_used(repository, tmp_path):
    before = repository.trainings()
    repository.edit("weight_decay: 5.0e-4, seed: 2}", "weight_decay: 4.0e-4, seed: 2}")
    main = repository.start("snakemake", "report.html", log=tmp_path / "main.log")
    wait_for("teachers/teacher", repository.folder, main)
    main.kill()
    main.wait()
    wait_for_the_end(repository.folder)
    assert repository.trained_since(before) == {"teacher/teacher"}
    assert repository.planned().keys() >= {"ensemble", "student", "report"}
    assert "teacher" not in repository.planned()
    repository.make("snakemake")
    repository.assert_nothing_to_do()


def test_a_second_snakemake_is_told_to_wait(repository, tmp_path):
    repository.widen_conv1()
    main = repository.start("snakemake", "report.html", log=tmp_path / "main.log")
    wait_for_a_student(repository.folder, main)
    trainings = processes(repository.folder, "-m mimic run")
    for training in trainings:
        training.suspend()
    told = repository.run("snakemake", "report.html", fails=True)
    assert ".mimic/run.lock: another snakemake is at work in this folder" in told
    assert "report" in repository.planned()  # to look is no harm
    for training in trainings:
        training.resume()
    assert main.wait() == 0
    assert repository.planned() == {}


@pytest.mark.parametrize("engine", ["snakemake"])
def test_a_failing_job_keeps_its_siblings_and_the_next_call_does_the_rest(repository, engine):
    before = repository.trainings()
    repository.widen_conv1()
    repository.edit("{c: 6, fc: 60}", "{c: 7, fc: 60}")
    obstacle = repository.folder / ".mimic/small/training" / CONV1
    obstacle.parent.mkdir(parents=True, exist_ok=True)
    obstacle.write_text("no folder, so that no checkpoint can be written")
    output = repository.run(*COMMANDS[engine], fails=True)
    assert re.search(r"student \S+( and \d+ more)?: failed: .*conv1-20k-logits-s1", output)
    assert re.search(r"logs/small/student/\S+\.log", output)
    assert repository.trained_since(before) == {LABELS}
    labels = repository.trainings()[LABELS]
    obstacle.unlink()
    repository.make(engine)
    assert repository.trained_since(before) == {CONV1, LABELS}
    assert repository.trainings()[LABELS] == labels
    repository.assert_nothing_to_do()


def test_an_edit_while_jobs_are_queued_is_not_mixed_in(repository, tmp_path, engine):
    repository.widen_conv1()
    main = repository.start(*COMMANDS[engine], log=tmp_path / "main.log")
    wait_for_a_student(repository.folder, main)
    repository.edit("{c: 9, fc: 60}", "{c: 10, fc: 60}")
    status, output = main.wait(), (tmp_path / "main.log").read_text()
    assert repository.records()[CONV1]["parameters"]["student"]["widths"]["c"] == 9
    if engine == "dvc":  # it would record the results under the parameters of now
        assert status != 0
        assert f"{CONV1}: not of the parameters and code of now" in output
        assert "students@small" in repository.run("dvc", "status")
    assert "student" in repository.planned()
    assert "stale or missing: " in repository.mimic("record", fails=True)
    repository.make(engine)
    assert repository.records()[CONV1]["parameters"]["student"]["widths"]["c"] == 10
    repository.assert_nothing_to_do()


def test_an_edit_of_code_while_jobs_are_queued_is_refused(repository, tmp_path):
    """The key of a job that starts later would not be that of the code that it runs."""
    repository.widen_conv1()
    main = repository.start("snakemake", "report.html", log=tmp_path / "main.log")
    wait_for_a_student(repository.folder, main)
    code = repository.folder / "src/mimic/evaluation/metrics.py"
    code.write_text(code.read_text() + "\n\nSOMETHING = 1\n")
    assert main.wait() != 0
    assert "mimic.evaluation.metrics: edited since snakemake started" in (tmp_path / "main.log").read_text()
    before = repository.trainings()
    repository.make("snakemake")
    assert repository.trainings() == before
    repository.assert_nothing_to_do()
