"""Real MLflow servers: one that comes and goes, one behind a password that many use at once."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from mimic.commands.mlflow import say_where, serve
from mimic.support.errors import MimicError
from mimic.tracking import StoreError, track
from mimic.tracking.mirror import Mirror
from tests.ports import free_ports

pytestmark = pytest.mark.xdist_group("server")

SERVE = "import sys; from mimic.commands.mlflow import serve; serve(sys.argv[1], port=int(sys.argv[2]))"

FOLLOW = """
import sys
from pathlib import Path
from mimic.tracking import follow
follow(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], interval_s=0.2, share=1)
"""


def wait_for(uri: str, process: subprocess.Popen) -> None:
    while process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"{uri}/health", timeout=5):
            return
        time.sleep(0.1)
    pytest.fail("the server didn't start")


class Server:
    """The MLflow server of one SQLite file on one port."""

    def __init__(self, start, database: str):
        self._start = start
        self._database = database
        [self._port] = free_ports(1)
        self.uri = f"http://127.0.0.1:{self._port}"

    def up(self) -> None:
        self._process = self._start(SERVE, self._database, self._port)
        wait_for(self.uri, self._process)

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


PASSWORD = "a long password"
AUTHORISATION = """
[mlflow]
default_permission = READ
database_uri = sqlite:///users.db
admin_username = ann
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 3600
"""


@pytest.fixture(scope="module")
def guarded_server(tmp_path_factory, empty_store) -> Iterator[tuple[str, Path]]:
    """A server behind a password, with a store of its own for artefacts: its address and that store."""
    pytest.importorskip("flask_wtf", reason="mlflow[auth] is not installed")
    folder, [port] = tmp_path_factory.mktemp("server"), free_ports(1)
    shutil.copy(empty_store, folder / "mlflow.db")
    (folder / "authorisation.ini").write_text(AUTHORISATION)
    command = [sys.executable, "-m", "mlflow", "server", "--app-name=basic-auth", f"--port={port}"]
    command += ["--workers=1", "--backend-store-uri=sqlite:///mlflow.db"]
    command += ["--serve-artifacts", "--artifacts-destination=artefacts"]
    environment = os.environ | {
        "MLFLOW_AUTH_CONFIG_PATH": str(folder / "authorisation.ini"),
        "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "of cookies",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        ) as process,
    ):
        try:
            wait_for(uri := f"http://127.0.0.1:{port}", process)
            yield uri, folder / "artefacts"
        finally:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def guarded(guarded_server, monkeypatch) -> str:
    """The address of the server behind a password, which the environment holds."""
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ann")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    return guarded_server[0]


@pytest.mark.long
def test_a_server_behind_a_password_keeps_the_report(
    make_study, guarded_server, guarded, open_store, monkeypatch
):
    study = make_study("reported")
    study.train()
    study.publish(study.results / "report", "report", "r1", {"report.html": "a page"})
    track(study.results, study.live, guarded)
    (artefact,) = guarded_server[1].rglob("report.html")
    assert artefact.read_text() == "a page"
    store = open_store(guarded, "reported")
    page = store.client.download_artifacts(store.study_run().info.run_id, "report.html")
    assert Path(page).read_text() == "a page"

    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "another password")
    with pytest.raises(StoreError, match="not authenticated") as caught:
        track(study.results, study.live, guarded)
    assert "password" not in str(caught.value)


@pytest.mark.parametrize(("place", "jobs"), [("file", 4), pytest.param("server", 20, marks=pytest.mark.long)])
def test_jobs_at_once_lose_nothing(make_study, empty_store, tmp_path, open_store, request, place, jobs):
    """Each grows, line by line, while passes are made, and ends when it likes."""
    if place == "file":
        uri = f"sqlite:///{shutil.copy(empty_store, tmp_path)}"
    else:
        uri = request.getfixturevalue("guarded")
    study = make_study("busy")

    def train(number: int) -> None:
        epochs = 2 + number % 3
        for epoch in range(1, epochs + 1):
            study.start(f"s{number}", key=f"k{number}", epochs=epoch)
            time.sleep(random.random() / 10)
        study.train(name=f"s{number}", key=f"k{number}", epochs=epochs)

    mirror = Mirror(study.results, study.live, uri)
    with ThreadPoolExecutor(jobs) as processes:
        trainings = [processes.submit(train, number) for number in range(jobs)]
        while not all(training.done() for training in trainings):
            mirror.sync()
    for training in trainings:
        training.result()
    mirror.sync()
    whole(open_store(uri, study.name), {f"k{number}": 2 + number % 3 for number in range(jobs)})


@pytest.mark.long
def test_clones_that_send_the_same_at_once_double_nothing(make_study, guarded, open_store, tmp_path):
    clones = [make_study("cloned", tmp_path / f"clone{number}") for number in range(5)]
    for study in clones:
        study.train(key="k1")
        study.try_out(key="k2")

    def send(study) -> None:
        with suppress(StoreError):  # a run that another clone took away as a double; the next pass looks anew
            track(study.results, study.live, guarded)

    with ThreadPoolExecutor(len(clones)) as machines:
        list(machines.map(send, clones))
    track(clones[0].results, clones[0].live, guarded)
    whole(open_store(guarded, "cloned"), {"k1": 3, "k2": 3})


class LosesAnswers(BaseHTTPRequestHandler):
    """Passes requests on, and loses many an answer: so does a server that is too slow, or dies just then."""

    behind, chance = "", random.Random(0)

    def do_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = urllib.request.Request(
            self.behind + self.path, body or None, dict(self.headers), method=self.command
        )
        try:
            with urllib.request.urlopen(asked) as answer:
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
        if self.chance.random() < 0.4:
            return
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_any

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.mark.long
def test_answers_that_are_lost_double_nothing(make_study, guarded, open_store, monkeypatch):
    study = make_study("unheard")
    for number in range(4):
        study.train(name=f"s{number}", key=f"k{number}")
        study.evaluate(f"s{number}", 0.75, key=f"k{number}")
    LosesAnswers.behind = guarded
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")
    with HTTPServer(("127.0.0.1", 0), LosesAnswers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        uri = f"http://127.0.0.1:{server.server_port}"
        outcomes = Counter()
        while not outcomes["whole"]:
            try:
                track(study.results, study.live, uri)
                outcomes["whole"] += 1
            except StoreError:
                outcomes["lost"] += 1
        server.shutdown()
        thread.join()
    assert outcomes["lost"]
    whole(open_store(guarded, "unheard"), {f"k{number}": 3 for number in range(4)})


def whole(store, expected: dict[str, int]) -> None:
    """Each key has one run, which has ended, with so many epochs, none twice; and nothing else is there."""
    assert len(store.all_runs()) == len(expected) + 1
    for key, epochs in expected.items():
        run = store.run(key)
        assert (run.info.status, len(run.outputs.model_outputs)) == ("FINISHED", 1)
        for metric in ("training/loss", "training/validation_loss"):
            assert [step for step, _ in store.points(run, metric)] == list(range(1, epochs + 1))
        assert len(store.points(run, "best_validation_accuracy")) == 1
