"""The background process, as a process: it shows runs while they train, and ends by itself."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

FOLLOW = """
import sys
from pathlib import Path
from mimic.tracking import follow
parent = int(sys.argv[4]) or None
print("ready", flush=True)
follow(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], parent, interval_s=0.2, share=1)
"""


@pytest.fixture
def parent():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def wait_for(condition, process: subprocess.Popen) -> None:
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)


def test_runs_are_seen_while_they_train_until_the_parent_dies(study, store, start, parent):
    follower = start(FOLLOW, study.results, study.live, store.uri, parent.pid)
    study.start(epochs=1)
    wait_for(store.runs, follower)
    study.start(epochs=2)
    wait_for(lambda: len(store.points(store.run(), "training/loss")) == 2, follower)
    follower.send_signal(signal.SIGINT)  # Ctrl-C is the parent's affair
    study.train(epochs=3)
    parent.kill()  # and stays a zombie, until this test reaps it
    assert follower.wait() == 0
    assert store.run().info.status == "FINISHED"
    assert [step for step, _ in store.points(store.run(), "training/loss")] == [1, 2, 3]


def test_a_parent_that_is_gone_already_means_one_pass(study, store, start, parent):
    parent.kill()
    parent.wait()
    assert not psutil.pid_exists(parent.pid)
    study.train()
    follower = start(FOLLOW, study.results, study.live, store.uri, parent.pid)
    assert follower.wait() == 0
    assert store.run().info.status == "FINISHED"


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_without_a_store_it_neither_fails_nor_lingers(study, start, ending):
    study.train()
    follower = start(FOLLOW, study.results, study.live, "http://127.0.0.1:1", 0)
    assert follower.stdout.readline() == "ready\n"
    assert "Connection refused" in follower.stdout.readline()
    os.kill(follower.pid, ending)
    said, _ = follower.communicate()
    assert (follower.returncode, said) == (0, "")
