"""A study whose processes are killed goes on at the next call, with the same results."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

WEIGHTS = "results/tiny/students/conv2-20k-logits-s1/model.safetensors"
TARGET = ".mimic/tiny/done/student/conv2-20k-logits-s1.json"


def start(folder: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "snakemake", TARGET]
    with open(folder / "snakemake.log", "a") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)


def finish(folder: Path) -> None:
    assert start(folder).wait() == 0, (folder / "snakemake.log").read_text()[-3000:]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, make_repository) -> bytes:
    folder = make_repository(tmp_path_factory.mktemp("undisturbed") / "study")
    finish(folder)
    return (folder / WEIGHTS).read_bytes()


def training_processes(folder: Path) -> list[psutil.Process]:
    """The jobs of a study that run now."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        line = " ".join(process.info["cmdline"] or [])
        if process.info["cwd"] == str(folder) and " -m mimic " in line and " track " not in line:
            found.append(process)
    return found


def wait_for_training(folder: Path, main: subprocess.Popen) -> None:
    while main.poll() is None and not list(folder.glob(".mimic/tiny/training/*/*/live.json")):
        time.sleep(0.05)


@pytest.mark.parametrize("whole_group", [True, False], ids=["all processes", "the main process alone"])
def test_kill_9_and_the_same_call_again(tmp_path, make_repository, undisturbed, whole_group):
    folder = make_repository(tmp_path / "study")
    main = start(folder)
    wait_for_training(folder, main)
    time.sleep(random.uniform(0, 3))
    jobs = training_processes(folder)
    os.kill(main.pid, signal.SIGKILL)
    main.wait()
    if whole_group:
        for job in jobs:
            job.kill()
    finish(folder)
    assert (folder / WEIGHTS).read_bytes() == undisturbed


def test_a_second_main_process_is_told_to_wait(tmp_path, make_repository):
    folder = make_repository(tmp_path / "study")
    main = start(folder)
    wait_for_training(folder, main)
    try:
        command = [sys.executable, "-m", "snakemake", TARGET]
        second = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert second.returncode != 0
        assert ".mimic/run.lock: another snakemake is at work in this folder" in second.stdout + second.stderr
    finally:
        main.kill()
        for job in training_processes(folder):
            job.kill()
