"""A real MLflow server, started as `serve` starts it, that comes and goes."""

import os
import signal
import socket
import time
import urllib.request
from contextlib import suppress

import pytest

from mimic.commands.mlflow import say_where, serve
from mimic.support.errors import MimicError
from mimic.tracking import StoreError, track

SERVE = "import sys; from mimic.commands.mlflow import serve; serve(sys.argv[1], port=int(sys.argv[2]))"

FOLLOW = """
import sys
from pathlib import Path
from mimic.tracking import follow
follow(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], interval_s=0.2)
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as attempt:
        return attempt.getsockname()[1]


class Server:
    """The MLflow server of one SQLite file on one port."""

    def __init__(self, start, database: str):
        self._start = start
        self._database = database
        self._port = free_port()
        self.uri = f"http://127.0.0.1:{self._port}"

    def up(self) -> None:
        self._process = self._start(SERVE, self._database, self._port)
        while self._process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"{self.uri}/health", timeout=5):
                return
            time.sleep(0.1)
        pytest.fail(self._process.communicate()[0])

    def kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@pytest.mark.long
def test_nothing_is_lost_or_doubled_when_the_server_dies_midway(study, store, start):
    server = Server(start, store.uri)
    server.up()
    for number in range(6):
        study.train(name=f"s{number}", key=f"k{number}", epochs=200)
    study.start("growing", key="live", epochs=2)

    def die_after_three(line: str) -> None:
        if line == "student s2: completed":
            server.kill()

    with pytest.raises(StoreError, match="Connection refused"):
        track(study.results, study.live, server.uri, die_after_three)
    assert len(store.runs()) == 4  # the live one, and three of six

    follower = start(FOLLOW, study.results, study.live, server.uri)
    assert "Connection refused" in follower.stdout.readline()  # said once, then tried again quietly
    study.start("growing", key="live", epochs=4)
    server.up()
    while not (store.runs("live") and all(run.info.status == "FINISHED" for run in store.runs("k5"))):
        assert follower.poll() is None
        time.sleep(0.1)
    study.train(name="growing", key="live", epochs=5)
    follower.send_signal(signal.SIGTERM)  # at once: the last pass must bring the end
    said = follower.communicate()[0]
    assert follower.returncode == 0
    assert "refused" not in said
    assert "Traceback" not in said

    assert track(study.results, study.live, server.uri).runs == {"unchanged": 7}
    expected = {"live": 5} | {f"k{number}": 200 for number in range(6)}
    for key, epochs in expected.items():
        run = store.run(key)
        assert run.info.status == "FINISHED"
        assert [step for step, _ in store.points(run, "training/loss")] == list(range(1, epochs + 1))
        assert len(store.points(run, "best_validation_accuracy")) == 1


def test_the_page_of_each_study_is_said(study, store, capsys):
    study.train()
    study.try_out(key="k2")
    track(study.results, study.live, store.uri)
    say_where(store.uri, "http://user:secret@server/")
    said = capsys.readouterr().out
    for name in ("toy", "toy.search"):
        number = store.client.get_experiment_by_name(name).experiment_id
        assert f"  {name}: http://server/#/experiments/{number}/runs?viewStateShareKey=mimic" in said


def test_a_taken_port_is_said(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            MimicError, match=f"port {port} of 127.0.0.1 can not be used: Address already in use"
        ):
            serve(f"sqlite:///{tmp_path / 'mlflow.db'}", port=port)
    assert list(tmp_path.iterdir()) == []
