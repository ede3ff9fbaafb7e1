"""A run that is told to end tells its jobs, and says what they have saved."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from mimic.config.reading import check_parameters
from mimic.dag.study import Study
from mimic.engine.ending import saved
from mimic.engine.keys import Keys
from mimic.support import messages
from mimic.support.publish import write_json, write_text

SNAKEMAKE = """
import subprocess, sys, time
from mimic.engine.ending import heed_signals

def start():
    job = [sys.executable, "-c", "import time; time.sleep(600)", "-m", "mimic", "run"]
    return subprocess.Popen(job, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

heed_signals()
early = start()
try:
    print("ready", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    late = start()  # by a thread that was about to
    print("stopping", flush=True)
    print(early.wait(), late.wait(), flush=True)
"""


@pytest.fixture
def snakemake():
    """A process as Snakemake is to its jobs, which listens."""
    with subprocess.Popen(
        [sys.executable, "-c", SNAKEMAKE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "ready\n"
        yield process
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # jobs that are left


def test_sigterm_reaches_the_jobs_also_those_that_begin_just_then(snakemake):
    snakemake.send_signal(signal.SIGTERM)
    assert snakemake.stdout.readline() == "stopping\n"
    snakemake.send_signal(signal.SIGTERM)  # by a scheduler that sends two
    assert snakemake.stdout.readline() == f"{-signal.SIGTERM} {-signal.SIGTERM}\n"
    assert snakemake.wait() == 0


def test_a_second_interrupt_ends_it_at_once_in_one_line(snakemake):
    snakemake.send_signal(signal.SIGINT)
    assert snakemake.stdout.readline() == "stopping\n"
    snakemake.send_signal(signal.SIGINT)
    assert snakemake.wait() == 128 + signal.SIGINT
    assert snakemake.stderr.readlines() == ["\n", f"{messages.STOPPED}\n"]


def test_what_is_saved_is_of_today_s_parameters_and_has_a_checkpoint(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny = yaml.safe_load((Path(__file__).parents[1] / "studies/tiny.yaml").read_text())
    study, keys = Study(check_parameters(tiny, "tiny.yaml")), Keys()
    t1, t2 = study.jobs("teacher")
    mlp1, conv1, *_ = study.jobs("student")
    for job, key, has_checkpoint in (
        (t1, keys[t1], True), (t2, "another", True), (mlp1, keys[mlp1], False), (conv1, keys[conv1], True),
    ):  # fmt: skip
        folder = Path(".mimic/tiny/training", job.step, job.name)
        write_json(folder / "live.json", {"key": key})
        if has_checkpoint:
            write_text(folder / "checkpoint.safetensors", "")
    assert saved(study, keys) == [t1, conv1]
