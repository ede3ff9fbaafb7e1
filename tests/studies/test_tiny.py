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


def make_report(folder: Path) -> None:
    """Run the study in `folder`."""
    command = [sys.executable, "-m", "snakemake", "report.html"]
    environment = os.environ | {"MIMIC_TRACKING": "off"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def finished(tmp_path_factory, make_repository) -> Path:
    """The folder of a finished study; tests that change it take a copy."""
    folder = make_repository(tmp_path_factory.mktemp("tiny") / "study")
    make_report(folder)
    return folder


def test_every_model_is_evaluated_and_reported(finished):
    results = finished / "results/tiny"
    models = pd.read_csv(results / "comparison/models.csv").set_index("name")
    assert set(models.kind) == {"teacher", "ensemble", "student"}
    assert set(models.arm.dropna()) == {"logits", "labels", "dropout", "weight_decay"}
    assert models.accuracy.between(0, 1).all()
    assert (finished / "report.html").read_text() == (results / "report/report.html").read_text()


def test_the_ensemble_s_prediction_is_the_mean_of_its_members_logits(finished):
    ensemble_NK, *members_NK = (
        load_file(finished / f"results/tiny/evaluation/{name}/predictions.safetensors")[name]
        for name in ("ensemble", "t1", "t2")
    )
    assert abs(ensemble_NK - sum(members_NK) / 2).max() < 1e-5


def test_only_the_evaluation_reads_the_test_images(finished):
    specs = [json.loads(path.read_text()) for path in (finished / ".mimic/specs/results").rglob("*.json")]
    data = {spec["step"]: spec["upstream"].get("data/data", {"files": ()}) for spec in specs}
    assert {step for step, read in data.items() if "test.safetensors" in read["files"]} == {"evaluation"}
    assert len(data) == 8


def test_a_diverging_student_is_a_result_and_not_an_end(finished, tmp_path):
    study = shutil.copytree(finished, tmp_path / "study", symlinks=True)
    params, tame = study / "params.yaml", "mlp1:\n      20k: {learning_rate: 0.005"
    assert params.read_text().count(tame) == 1
    params.write_text(params.read_text().replace(tame, tame.replace("0.005", "10.0")))
    make_report(study)
    record = json.loads((study / "results/tiny/students/mlp1-20k-logits-s1/record.json").read_text())
    assert record["status"] == "diverged"
    assert "diverged" in (study / "report.html").read_text()
