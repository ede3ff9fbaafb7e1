"""A job publishes whole results, adopts those that are there, and reads only what its key was made from."""

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from mimic.engine import runner as engine
from mimic.engine import store
from mimic.engine.sidecar import file_md5, is_fresh, read_sidecar
from mimic.engine.specs import Spec, Upstream
from mimic.support.errors import MimicError

A, B, C = "a" * 8, "b" * 8, "c" * 8  # keys


def make_spec(key="1" * 8, upstream=None) -> Spec:
    folder = Path("results/toy/teachers/t1")
    task = {"ensemble": {"size": 1}}
    return Spec(
        study="toy", step="ensemble", name="t1", key=key, task=task, asked=task, code={},
        upstream=upstream or {},
        outputs={"model": folder / "model", "record": folder / "record"}, sidecar=folder / "job.json",
    )  # fmt: skip


class Step:
    """A step that counts its runs."""

    def __init__(self, text="weights"):
        self.runs, self.text = 0, text

    def __call__(self, context):
        self.runs += 1
        for name in ("model", "record"):
            (context.out / name).write_text(f"{self.text} {name}")


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a job whose step is a function given; returns what it said."""

    def of(spec, step):
        monkeypatch.setattr(engine, "load", lambda function: step)
        engine.run([spec], threads=1)
        return [line.partition(": ")[2] for line in capsys.readouterr().err.splitlines()]

    return of


def is_done(spec):
    return is_fresh(spec.key, spec.sidecar, spec.outputs)


def test_a_result_is_made_once(run):
    spec, step = make_spec(), Step()
    run(spec, step)
    assert run(spec, step) == ["already there"]
    assert step.runs == 1
    record = read_sidecar(spec.sidecar)
    assert record.files["model"].md5 == file_md5(spec.outputs["model"])
    assert record.provenance["threads"] == 1


def test_what_another_person_s_job_left_is_not_in_the_way(run, monkeypatch):
    """In a group's folder, a killed job's own folder can be removed by its owner alone."""
    spec, step = make_spec(), Step()
    (spec.state("staging") / "theirs").mkdir(parents=True)
    monkeypatch.setattr(engine, "shutil", SimpleNamespace(rmtree=lambda *_, **__: None))
    run(spec, step)
    assert is_done(spec)
    assert [file.name for file in spec.state("staging").iterdir()] == ["theirs"]


def test_parameters_changed_and_changed_back_cost_one_run_each(run):
    step = Step()
    run(make_spec(A), step)
    step.text = "other"
    run(make_spec(B), step)
    run(make_spec(A), step)
    assert step.runs == 2
    assert make_spec().outputs["model"].read_text() == "weights model"


def test_what_is_to_be_made_anew_is_made_once_and_not_restored(run):
    """Also by a second attempt, of SLURM say, at the same spec."""
    step, spec = Step(), make_spec()
    run(spec, step)
    for mark in ("1", "2"):
        run(spec.model_copy(update={"anew": mark}), step)
        assert run(spec.model_copy(update={"anew": mark}), step) == ["already there"]
    assert step.runs == 3
    assert run(spec, step) == ["already there"]


def test_a_damaged_stored_result_is_not_believed(run):
    step = Step()
    run(make_spec(A), step)
    run(make_spec(B), step)
    stored = store.STORE / A / "model"
    stored.write_text("w" * stored.stat().st_size)
    run(make_spec(A), step)
    assert step.runs == 3
    assert is_done(make_spec(A))


def test_a_step_that_fails_leaves_nothing_behind_but_the_old_files(run):
    run(make_spec(A), Step())

    def failing(context):
        (context.out / "model").write_text("half")
        raise ValueError("no")

    with pytest.raises(ValueError):
        run(make_spec(B), failing)
    assert make_spec().outputs["model"].read_text() == "weights model"
    assert not is_done(make_spec(B))


def test_a_step_that_forgets_a_file_is_an_error(run):
    with pytest.raises(RuntimeError, match="did not write record"):
        run(make_spec(), lambda context: (context.out / "model").write_text("m"))


def test_upstream_of_another_key_or_damaged_is_refused_by_name(run):
    run(make_spec(A), Step())
    up = make_spec(A)
    down = make_spec(C, {"ensemble/t1": Upstream(key=B, sidecar=up.sidecar, files=up.outputs)})
    down = down.model_copy(
        update={"name": "t2", "outputs": {"model": Path("out/model")}, "sidecar": Path("out/job")}
    )
    with pytest.raises(MimicError, match="of other parameters or code"):
        run(down, Step())
    good = {"ensemble/t1": Upstream(key=A, sidecar=up.sidecar, files=up.outputs)}
    down = down.model_copy(update={"upstream": good})
    path = up.outputs["model"]
    content = path.read_text()
    path.write_text(content[::-1])
    with pytest.raises(MimicError, match="model: damaged"):
        run(down, Step())
    path.unlink()
    with pytest.raises(MimicError, match="model: missing"):
        run(down, Step())
    path.write_text(content)
    run(down, Step())
    assert read_sidecar(down.sidecar).upstream == {"ensemble/t1": A}


def test_code_edited_while_the_job_was_queued_is_refused(run):
    spec = make_spec().model_copy(update={"code": {"mimic.training.fit": "0123"}})
    with pytest.raises(MimicError, match=r"mimic\.training\.fit: edited since snakemake started"):
        run(spec, Step())


def test_a_sidecar_that_is_no_sidecar_counts_as_no_result(run):
    spec, step = make_spec(), Step()
    run(spec, step)
    spec.sidecar.write_text(json.dumps({"key": "1" * 8, "files": {}}))
    assert not is_done(spec)
    run(spec, step)
    assert is_done(spec)


def _slow(context):
    with open("runs", "a") as runs:
        runs.write("x")
    for name in ("model", "record"):
        (context.out / name).write_text("slow")
        time.sleep(0.3)


def _run_slow():
    engine.load = lambda function: _slow  # in a process of its own
    engine.run([make_spec()], threads=1)


def test_two_copies_at_once_train_once():
    copies = [multiprocessing.get_context("fork").Process(target=_run_slow) for _ in range(3)]
    for copy in copies:
        copy.start()
    for copy in copies:
        copy.join()
    assert [copy.exitcode for copy in copies] == [0, 0, 0]
    assert Path("runs").read_text() == "x"
    assert is_done(make_spec())


def test_kill_9_midway_leaves_no_half_result_and_the_next_call_does_it():
    copy = multiprocessing.get_context("fork").Process(target=_run_slow)
    copy.start()
    while not Path("runs").exists():
        assert copy.is_alive()
        time.sleep(0.01)
    os.kill(copy.pid, signal.SIGKILL)
    copy.join()
    assert not is_done(make_spec())
    copy = multiprocessing.get_context("fork").Process(target=_run_slow)
    copy.start()
    copy.join()
    assert is_done(make_spec())
    assert not list(Path(".mimic/toy/staging").rglob("model"))


def test_a_job_goes_on_when_nobody_listens_any_more(monkeypatch, tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as deserted, open(os.devnull, "w") as nowhere:
        monkeypatch.setattr("sys.stderr", deserted)
        engine.Reporter("student s1", tmp_path / "s1.log")("the state is saved")
        monkeypatch.undo()
        os.dup2(nowhere.fileno(), writing)  # for what is left in the buffer
    assert (tmp_path / "s1.log").read_text().endswith("student s1: the state is saved\n")


def test_where_somebody_else_tells_how_jobs_go_the_log_alone_is_told(monkeypatch, capsys):
    monkeypatch.setenv(engine.LOG_ALONE, "1")
    log = Path("t1.log")
    engine.Reporter("teacher t1", log)("epoch 1")
    assert log.read_text().endswith(" teacher t1: epoch 1\n")
    assert capsys.readouterr().err == ""
    engine.Reporter("teacher t1", None)("epoch 1")  # by hand, without a log
    assert capsys.readouterr().err == "teacher t1: epoch 1\n"
