"""A study with searches, end to end: the winner is trained, more trials run alone, a rerun finds the same."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

SEARCH = Path("results/tiny/students/searches/conv2-20k-logits")


def snakemake(folder: Path, target: str) -> str:
    command = [sys.executable, "-m", "snakemake", "--", target]
    environment = os.environ | {"MIMIC_TRACKING": "off"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def edit(folder: Path, old: str, new: str) -> None:
    text = (folder / "params.yaml").read_text()
    assert text.count(old) == 1
    (folder / "params.yaml").write_text(text.replace(old, new))


def trainings(folder: Path) -> dict[str, dict]:
    """When, where and with what each result was made, by job: one that was restored keeps this."""
    sidecars = [json.loads(path.read_text()) for path in folder.glob("results/tiny/**/job.json")]
    return {f"{s['step']}/{s['name']}": s["provenance"] for s in sidecars}


@pytest.fixture(scope="module")
def finished(tmp_path_factory, make_repository) -> Path:
    folder = make_repository(tmp_path_factory.mktemp("search") / "study")
    shutil.copy(Path(__file__).parent / "search.yaml", folder / "params.yaml")
    snakemake(folder, "report.html")
    return folder


def test_the_winner_is_trained_with_what_was_found(finished):
    selection = json.loads((finished / SEARCH / "selection.json").read_text())
    trials = pd.read_csv(finished / SEARCH / "trials.csv")
    best = trials.sort_values(["validation_error", "validation_loss", "round", "index"]).iloc[0]
    assert selection["best"] == best.trial
    record = json.loads((finished / "results/tiny/students/conv2-20k-logits-s1/record.json").read_text())
    assert record["hyperparameters"]["student"] == selection["hyperparameters"]
    assert record["hyperparameters"]["student"]["widths"]["c1"] == best["widths.c1"]


def test_the_first_point_is_the_default_and_limits_come_from_earlier_rounds(finished):
    first, second = (
        json.loads((finished / SEARCH / round_ / "proposal.json").read_text()) for round_ in ("r01", "r02")
    )
    assert first["points"][0] == {"learning_rate": 0.005, "widths.c1": 8, "widths.c2": 12}
    assert (first["origins"], first["limits"]) == (["default", "sobol"], {})
    errors = [
        json.loads((finished / SEARCH / f"r01/{trial}/history.jsonl").read_text().splitlines()[0])
        for trial in ("t01", "t02")
    ]
    assert second["limits"]["1"] == pytest.approx(sum(line["validation_error"] for line in errors) / 2)


def test_searched_teachers_can_be_members_and_the_best_trials_are_evaluated_once(finished):
    ensemble = json.loads((finished / "results/tiny/ensemble/ensemble.json").read_text())
    assert set(ensemble["candidates"]) == {"t1", "teachers-r01-t01", "teachers-r01-t02"}
    models = pd.read_csv(finished / "results/tiny/comparison/models.csv")
    selection = json.loads((finished / SEARCH / "selection.json").read_text())
    trials = set(models.name[models.kind == "trial"])
    assert set(selection["averaged"]) == {name for name in trials if name.startswith("conv2")}
    assert not any("-random-" in name for name in trials)  # a baseline never meets a test image
    assert "conv2-20k-logits-random" in (finished / "report.html").read_text()


def test_one_trial_more_trains_that_trial_and_the_winner_if_it_is_another(finished, tmp_path):
    study = shutil.copytree(finished, tmp_path / "study", symlinks=True)
    before, winner = trainings(study), json.loads((study / SEARCH / "selection.json").read_text())
    edit(study, "    trials: 3\n", "    trials: 4\n")
    snakemake(study, "students")
    after, now = trainings(study), json.loads((study / SEARCH / "selection.json").read_text())
    trained = {job for job in after if after[job] != before.get(job)}
    assert ("student/conv2-20k-logits-s1" in trained) == (now["point"] != winner["point"])
    assert {job for job in trained if job.startswith("trial/")} == {
        "trial/conv2-20k-logits-r02-t02",
        "trial/conv2-20k-logits-random-r02-t02",
    }
    assert not {job for job in trained if job.startswith(("proposal/", "teacher/", "logits/"))}


def test_again_alone_and_in_other_company_it_proposes_and_finds_the_same(finished, tmp_path, make_repository):
    study = make_repository(tmp_path / "study")
    shutil.copy(finished / "params.yaml", study / "params.yaml")
    edit(study, "cohort: 2", "cohort: 1")
    edit(study, "baseline: random", "baseline: null")
    snakemake(study, "students")
    for round_ in ("r01", "r02"):
        proposal = SEARCH / round_ / "proposal.json"
        assert (study / proposal).read_text() == (finished / proposal).read_text()
    columns = ["trial", "stop", "validation_error", "validation_loss", "learning_rate"]
    one, other = (pd.read_csv(folder / SEARCH / "trials.csv")[columns] for folder in (study, finished))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
