"""A job publishes whole results, adopts those that are there, and reads only what its key was made from."""

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from mimic.core import identity, runner, store
from mimic.core.errors import MimicError
from mimic.core.specs import Spec, Upstream


def make_spec(key="k1", upstream=None) -> Spec:
    folder = Path("results/toy/teachers/t1")
    return Spec(
        study="toy", step="teacher", name="t1", key=key, task={"seed": 1}, code={}, upstream=upstream or {},
        outputs={"model": folder / "model", "record": folder / "record"}, sidecar=folder / "job.json",
    )  # fmt: skip


class Step:
    """A step that counts its runs."""

    def __init__(self, text="weights"):
        self.runs, self.text = 0, text

    def __call__(self, context):
        self.runs += 1
        for name in context.spec.outputs:
            (context.out / name).write_text(f"{self.text} {name}")


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(spec, step):
    said = []
    runner.run([spec], runner.one_by_one(step), threads=1, progress={spec.name: said.append})
    return said


def is_fresh(spec):
    return identity.is_fresh(spec.key, spec.sidecar, spec.outputs)


def test_a_result_is_made_once():
    spec, step = make_spec(), Step()
    run(spec, step)
    assert run(spec, step) == ["already there"]
    assert step.runs == 1
    record = identity.read_sidecar(spec.sidecar)
    assert record.files["model"].md5 == identity.file_md5(spec.outputs["model"])
    assert record.provenance["threads"] == 1


def test_parameters_changed_and_changed_back_cost_one_run_each():
    step = Step()
    run(make_spec("a"), step)
    step.text = "other"
    run(make_spec("b"), step)
    run(make_spec("a"), step)
    assert step.runs == 2
    assert make_spec().outputs["model"].read_text() == "weights model"


def test_a_damaged_stored_result_is_not_believed():
    step = Step()
    run(make_spec("a"), step)
    run(make_spec("b"), step)
    stored = store.STORE / "a" / "model"
    stored.write_text("w" * stored.stat().st_size)
    run(make_spec("a"), step)
    assert step.runs == 3
    assert is_fresh(make_spec("a"))


def test_a_step_that_fails_leaves_nothing_behind_but_the_old_files():
    run(make_spec("a"), Step())

    def failing(context):
        (context.out / "model").write_text("half")
        raise ValueError("no")

    with pytest.raises(ValueError):
        run(make_spec("b"), failing)
    assert make_spec().outputs["model"].read_text() == "weights model"
    assert not is_fresh(make_spec("b"))


def test_a_step_that_forgets_a_file_is_an_error():
    with pytest.raises(RuntimeError, match="did not write record"):
        run(make_spec(), lambda context: (context.out / "model").write_text("m"))


def test_upstream_of_another_key_or_damaged_is_refused_by_name():
    run(make_spec("a"), Step())
    up = make_spec("a")
    down = make_spec("z", {"teacher/t1": Upstream(key="b", sidecar=up.sidecar, files=up.outputs)})
    down = down.model_copy(
        update={"name": "t2", "outputs": {"model": Path("out/model")}, "sidecar": Path("out/job")}
    )
    with pytest.raises(MimicError, match="of other parameters or code"):
        run(down, Step())
    good = {"teacher/t1": Upstream(key="a", sidecar=up.sidecar, files=up.outputs)}
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
    assert identity.read_sidecar(down.sidecar).upstream == {"teacher/t1": "a"}


def test_code_edited_while_the_job_was_queued_is_refused():
    spec = make_spec().model_copy(update={"code": {"mimic.training.fit": "0123"}})
    with pytest.raises(MimicError, match=r"mimic\.training\.fit: edited since snakemake started"):
        run(spec, Step())


def test_a_sidecar_that_is_no_sidecar_counts_as_no_result():
    spec, step = make_spec(), Step()
    run(spec, step)
    spec.sidecar.write_text(json.dumps({"key": "k1", "files": {}}))
    assert not is_fresh(spec)
    run(spec, step)
    assert is_fresh(spec)


def _slow(context):
    with open("runs", "a") as runs:
        runs.write("x")
    for name in context.spec.outputs:
        (context.out / name).write_text("slow")
        time.sleep(0.3)


def _run_slow():
    spec = make_spec()
    runner.run([spec], runner.one_by_one(_slow), threads=1, progress={spec.name: lambda text: None})


def test_two_copies_at_once_train_once():
    copies = [multiprocessing.get_context("fork").Process(target=_run_slow) for _ in range(3)]
    for copy in copies:
        copy.start()
    for copy in copies:
        copy.join()
    assert [copy.exitcode for copy in copies] == [0, 0, 0]
    assert Path("runs").read_text() == "x"
    assert is_fresh(make_spec())


def test_kill_9_midway_leaves_no_half_result_and_the_next_call_does_it():
    copy = multiprocessing.get_context("fork").Process(target=_run_slow)
    copy.start()
    while not Path("runs").exists():
        assert copy.is_alive()
        time.sleep(0.01)
    os.kill(copy.pid, signal.SIGKILL)
    copy.join()
    assert not is_fresh(make_spec())
    _run_slow()
    assert is_fresh(make_spec())
    assert not list(Path(".mimic/toy/staging").rglob("model"))


def test_a_job_goes_on_when_nobody_listens_any_more(monkeypatch, tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as deserted, open(os.devnull, "w") as nowhere:
        monkeypatch.setattr("sys.stderr", deserted)
        runner.Reporter("student s1", tmp_path / "s1.log")("the state is saved")
        monkeypatch.undo()
        os.dup2(nowhere.fileno(), writing)  # for what is left in the buffer
    assert (tmp_path / "s1.log").read_text().endswith("student s1: the state is saved\n")
