"""A whole study with every step and arm, through the real programs, as a user would run it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from safetensors.numpy import load_file


def snakemake(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run snakemake in `folder`."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=folder, capture_output=True, text=True, env=os.environ | environment,
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory, make_repository) -> Path:
    """The folder of a finished study; tests that change it take a copy."""
    folder = make_repository(tmp_path_factory.mktemp("tiny") / "study")
    done = snakemake(folder, "report.html")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def study(finished, tmp_path) -> Path:
    """A copy of the finished study, to change."""
    return shutil.copytree(finished, tmp_path / "study", symlinks=True)


def trainings(folder: Path) -> dict[str, str]:
    """When each training of the study began, by job."""
    sidecars = [json.loads(path.read_text()) for path in folder.glob("results/tiny/*/*/job.json")]
    return {f"{s['step']}/{s['name']}": json.dumps([s["key"], s["provenance"]["started"]]) for s in sidecars}


def edit(folder: Path, old: str, new: str) -> None:
    """Change params.yaml."""
    text = (folder / "params.yaml").read_text()
    assert old in text
    (folder / "params.yaml").write_text(text.replace(old, new))


def planned(folder: Path) -> set[str]:
    """The rules that snakemake would run, without the targets for people."""
    done = snakemake(folder, "-n", "--", "report.html")
    assert done.returncode == 0, done.stderr
    words = [line.split() for line in (done.stdout + done.stderr).splitlines()]
    return {w[0] for w in words if len(w) == 2 and w[1].isdigit()} - {"total", "all"}


def test_everything_is_there_and_a_second_call_has_nothing_to_do(finished):
    results = finished / "results/tiny"
    models = pd.read_csv(results / "evaluation/models.csv").set_index("name")
    assert set(models.kind) == {"teacher", "ensemble", "student"}
    assert set(models.arm.dropna()) == {"logits", "labels", "regularised"}
    assert models.accuracy.between(0, 1).all()
    assert (finished / "report.html").read_text() == (results / "report/report.html").read_text()
    assert planned(finished) == set()


def test_the_ensemble_s_prediction_is_the_mean_of_its_members_logits(finished):
    predictions = load_file(finished / "results/tiny/evaluation/predictions.safetensors")
    mean_NK = (predictions["t1"] + predictions["t2"]) / 2
    assert abs(predictions["ensemble"] - mean_NK).max() < 1e-5


def test_only_the_evaluation_reads_the_test_images(finished):
    for spec in (finished / ".mimic/tiny/specs").rglob("*.json"):
        reads_test = "test.safetensors" in json.loads(spec.read_text())["upstream"].get("data/data", {}).get(
            "files", {}
        )
        assert reads_test == (spec.parent.name == "evaluation"), spec


def test_a_student_changed_and_changed_back(study):
    before = trainings(study)
    edit(study, "widths: {c: 8, fc: 60}", "widths: {c: 9, fc: 60}")
    assert planned(study) == {"student", "evaluation", "report"}
    assert snakemake(study, "report.html").returncode == 0
    after = trainings(study)
    assert {job for job in before if before[job] != after[job]} == {"student/conv1-20k-logits-s1"}
    edit(study, "widths: {c: 9, fc: 60}", "widths: {c: 8, fc: 60}")
    assert snakemake(study, "report.html").returncode == 0
    assert trainings(study) == before
    assert planned(study) == set()


def test_the_same_study_elsewhere_gives_the_same_weights(finished, study):
    shutil.rmtree(study / "results")
    shutil.rmtree(study / ".mimic")
    done = snakemake(study, "--", ".mimic/tiny/done/student/conv2-20k-logits-s1.json")
    assert done.returncode == 0, done.stdout + done.stderr
    weights = "results/tiny/students/conv2-20k-logits-s1/model.safetensors"
    assert (study / weights).read_bytes() == (finished / weights).read_bytes()


def test_a_damaged_result_upstream_is_refused_by_name_and_siblings_are_kept(study):
    shutil.rmtree(study / ".mimic/store")
    damaged = study / "results/tiny/logits/000/logits.safetensors"
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    edit(study, "widths: {c: 8, fc: 60}", "widths: {c: 9, fc: 60}")
    done = snakemake(study, "report.html")
    assert done.returncode != 0
    assert "logits/000/logits.safetensors: damaged" in done.stdout + done.stderr
    assert "logs/tiny/student/conv1-20k-logits-s1.log" in done.stdout + done.stderr


def test_a_diverging_student_is_a_result_and_not_an_end(study):
    edit(study, "mlp1:\n      20k: {learning_rate: 0.005", "mlp1:\n      20k: {learning_rate: 10.0")
    done = snakemake(study, "report.html")
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((study / "results/tiny/students/mlp1-20k-logits-s1/record.json").read_text())
    assert record["status"] == "diverged"
    assert "diverged" in (study / "report.html").read_text()
