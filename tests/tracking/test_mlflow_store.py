"""Stores that are new, old, shared, away or not stores at all."""

import fcntl
import itertools
import socket
import sqlite3
from pathlib import Path

import alembic.command
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.store.db.utils import _get_alembic_config

from mimic.tracking import StoreError, track
from mimic.tracking.experiments import Metric, _packed
from mimic.tracking.mlflow_store import locked, resolve

ONE_PASS = """
import sys
from pathlib import Path
from mimic.tracking import track
print(track(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], progress=lambda line: None))
"""


def test_simultaneous_passes_into_a_new_store_double_nothing(study, start, tmp_path, open_store):
    for number in range(5):
        study.train(name=f"s{number}", key=f"k{number}")
    uri = f"sqlite:///{tmp_path / 'new.db'}"
    passes = [start(ONE_PASS, study.results, study.live, uri) for _ in range(3)]
    said = sorted(process.communicate()[0] for process in passes)
    assert said == ["toy: 5 completed\n", "toy: 5 unchanged\n", "toy: 5 unchanged\n"]
    store = open_store(uri)
    assert [len(store.runs(f"k{number}")) for number in range(5)] == [1] * 5
    assert all([step for step, _ in store.points(run, "training/loss")] == [1, 2, 3] for run in store.runs())


def test_a_store_of_an_older_mlflow_is_brought_up_to_date(study, store, tmp_path, open_store):
    study.train()
    track(study.results, study.live, store.uri)
    alembic.command.downgrade(_get_alembic_config(store.uri), "-1")
    old = open_store(f"sqlite:///{(tmp_path / 'mlflow.db').rename(tmp_path / 'old.db')}")
    assert track(study.results, study.live, old.uri).runs == {"unchanged": 1}
    assert old.run().info.status == "FINISHED"


def test_a_store_of_a_newer_mlflow_is_left_alone(study, empty_store, tmp_path):
    study.train()
    newer = tmp_path / "newer.db"
    newer.write_bytes(empty_store.read_bytes())
    with sqlite3.connect(newer) as connection:
        connection.execute("update alembic_version set version_num = 'fromthefuture'")
    with pytest.raises(StoreError, match="made by another version of MLflow") as caught:
        track(study.results, study.live, f"sqlite:///{newer}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("http://127.0.0.1:1", "Connection refused"),
        ("http://user:secret@127.0.0.1:1", "Connection refused"),
        (
            "./mlruns",
            "./mlruns names a folder, to which MLflow writes no more; write sqlite:///mlflow.db, or a",
        ),
        ("file:///tmp/mlruns", "names a folder"),
        ("localhost:5000", "or a server's http://…"),
        ("gopher://somewhere", "unsupported URI"),
        ("sqlite://", "names no file"),
    ],
)
def test_a_store_that_can_not_be_used_is_said_in_one_line(study, uri, reason):
    study.train()
    with pytest.raises(StoreError, match=reason) as caught:
        track(study.results, study.live, uri)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.exit_status == 1


def test_a_file_that_is_no_database(study, tmp_path):
    study.train()
    (tmp_path / "bad.db").write_text("not a database at all " * 100)
    with pytest.raises(StoreError, match="file is not a database"):
        track(study.results, study.live, f"sqlite:///{tmp_path / 'bad.db'}")


def test_a_server_that_never_answers_is_given_up(study, monkeypatch):
    study.train()
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(StoreError, match="timed out"):
            track(study.results, study.live, uri)


def test_the_environment_names_the_store(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert resolve(None) == "sqlite:///mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://server")
    assert resolve(None) == "http://server"
    assert resolve("sqlite:///other.db") == "sqlite:///other.db"
    assert resolve("databricks") == "databricks"


def test_waiting_for_another_pass_is_said_and_can_end(tmp_path):
    said = []
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with (tmp_path / "mlflow.db.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        lock = locked(uri, Path("unused"), said.append, give_up=lambda: True)
        with pytest.raises(StoreError, match="still held by another pass"), lock:
            pytest.fail("the lock was not respected")
    assert said == ["another pass is under way; waiting for its end"]


@given(sizes=st.lists(st.integers(0, 10)), size=st.integers(10, 20))
def test_batches_keep_order_and_divide_no_group(sizes, size):
    groups = [
        [Metric("m", value, 0, number) for value in range(length)] for number, length in enumerate(sizes)
    ]
    batches = _packed(groups, size)
    assert [point for batch in batches for point in batch] == [point for group in groups for point in group]
    assert all(0 < len(batch) <= size for batch in batches)
    steps = [{point.step for point in batch} for batch in batches]
    assert all(a.isdisjoint(b) for a, b in itertools.pairwise(steps))
