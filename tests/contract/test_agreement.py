"""Both engines agree on what is done: from nothing, after recording, in a fresh clone."""

from dataclasses import replace

import pytest

CONV1 = "student/conv1-20k-logits-s1"
NOTHING = "Data and pipelines are up to date"


@pytest.mark.quick
def test_after_snakemake_and_one_recording_neither_has_anything_to_do(repository):
    before = repository.trainings()
    repository.assert_nothing_to_do()
    assert NOTHING in repository.run("dvc", "repro")
    assert repository.trainings() == before


def test_after_dvc_neither_has_anything_to_do_and_the_weights_are_the_same(by_dvc, by_snakemake, tmp_path):
    study = by_dvc.copy(tmp_path / "study")
    study.assert_nothing_to_do()
    assert NOTHING in study.run("dvc", "repro")
    assert study.weights() == by_snakemake.weights()
    assert len(study.weights()) == 5


def test_a_tracking_server_that_is_gone_stops_nothing(repository):
    tracked = replace(repository, tracking="on")
    tracked.widen_conv1()
    tracked.make("snakemake")
    assert (tracked.folder / "logs/small/track.log").exists()
    tracked.assert_nothing_to_do()


@pytest.mark.parametrize("pull", [("dvc", "pull"), ("python", "-m", "mimic", "pull")], ids=["dvc", "mimic"])
def test_a_fresh_clone_and_a_pull_have_the_finished_study(repository, tmp_path, pull):
    repository.run("dvc", "remote", "add", "--default", "storage", str(tmp_path / "remote"))
    repository.commit("a remote")
    repository.run("dvc", "push")
    clone = repository.clone(tmp_path / "clone" / "study")
    assert "dvc.lock knows results that are not here" in clone.run("snakemake", "-n", "report.html")
    clone.run(*pull)
    clone.assert_nothing_to_do()
    assert NOTHING in clone.run("dvc", "repro")
    assert clone.trainings() == repository.trainings()
    assert (clone.folder / "report.html").read_bytes() == (repository.folder / "report.html").read_bytes()


@pytest.mark.parametrize("engine", [pytest.param("dvc", marks=pytest.mark.quick), "snakemake"])
def test_after_a_pull_and_one_change_only_what_depends_on_it_runs(repository, tmp_path, engine):
    repository.run("dvc", "remote", "add", "--default", "storage", str(tmp_path / "remote"))
    repository.commit("a remote")
    repository.run("dvc", "push")
    clone = repository.clone(tmp_path / "clone" / "study")
    clone.run("dvc", "pull")
    before = clone.trainings()
    clone.widen_conv1()
    assert set(clone.planned()) == {"train_students", "student", "evaluation", "comparison", "report"}
    clone.make(engine)
    assert clone.trained_since(before) == {CONV1}
    clone.assert_nothing_to_do()
