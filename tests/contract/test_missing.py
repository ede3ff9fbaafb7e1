"""What is gone from results/ is noticed and mended by either engine, and no training is repeated for it."""

import os
import shutil
from pathlib import Path

import pytest

FOLLOWING = {"comparison": 1, "report": 1}
ENSEMBLE = FOLLOWING | {"ensemble": 1, "logits": 1, "train_students": 1, "student": 2, "evaluation": 6}


@pytest.mark.parametrize(("state", "engine"), [("kept", "snakemake"), ("removed", "dvc")])
@pytest.mark.parametrize(
    ("folder", "planned"),
    [("ensemble", ENSEMBLE), ("evaluation", FOLLOWING | {"evaluation": 6})],
    ids=["ensemble", "evaluation"],
)
def test_removed_results_are_made_good(repository, engine, folder, planned, state):
    before = repository.trainings()
    shutil.rmtree(repository.folder / "results/small" / folder)
    if state == "removed":
        shutil.rmtree(repository.folder / ".mimic")
    assert repository.planned() == planned
    repository.make(engine)
    repository.assert_nothing_to_do()
    assert repository.trainings() == before


def test_one_file_removed_right_after_a_run_is_made_good(repository):
    repository.widen_conv1()
    repository.run("snakemake", "report.html")
    predictions = repository.folder / "results/small/evaluation/conv1-20k-logits-s1/predictions.safetensors"
    predictions.unlink()
    assert repository.planned() == FOLLOWING | {"evaluation": 1}
    repository.make("snakemake")
    assert predictions.exists()
    repository.assert_nothing_to_do()


def test_with_a_result_missing_and_a_student_changed_both_are_made(repository):
    """Snakemake looks at nothing that follows a job which it runs: so it must be told of all of it."""
    shutil.rmtree(repository.folder / "results/small/ensemble")
    repository.widen_conv1()
    repository.make("snakemake")
    assert repository.records()["student/conv1-20k-logits-s1"]["parameters"]["student"]["widths"]["c"] == 9
    repository.assert_nothing_to_do()


@pytest.mark.parametrize("lost", [".mimic", ".dvc/cache"])
def test_a_result_that_was_replaced_comes_back_from_dvc_s_cache_or_our_store(repository, lost):
    """A study of which the store knows nothing: what Snakemake is about to delete is kept first."""
    before, weights = repository.trainings(), repository.weights()
    if lost == ".dvc/cache":
        shutil.rmtree(repository.folder / ".mimic")
        shutil.rmtree(repository.folder / lost)
    repository.widen_conv1()
    repository.run("snakemake", "report.html")
    if lost == ".mimic":
        shutil.rmtree(repository.folder / lost)
    repository.edit("{c: 9, fc: 60}", "{c: 8, fc: 60}")
    repository.run("snakemake", "report.html")
    assert repository.trainings() == before
    assert repository.weights() == weights


def test_a_dry_run_changes_nothing_in_results(repository):
    def state() -> dict[Path, tuple]:
        """Of each file its place on disk, links, size and the dates of its content and of its name."""
        files = [path for path in (repository.folder / "results").rglob("*") if path.is_file()]
        seen = {path: os.stat(path) for path in files}
        return {p: (s.st_ino, s.st_nlink, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for p, s in seen.items()}

    repository.edit("weight_decay: 5.0e-4, seed: 2}", "weight_decay: 4.0e-4, seed: 2}")
    (repository.folder / "results/small/report/table1.csv").unlink()
    before = state()
    assert repository.planned() != {}
    assert state() == before
