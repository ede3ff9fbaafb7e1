"""A study of parts that the paper does not have, through the real programs: each reaches jobs and report."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.numpy import load_file


@pytest.fixture(scope="module")
def finished(tmp_path_factory, make_repository) -> Path:
    """The results of the finished study."""
    folder = make_repository(tmp_path_factory.mktemp("parts") / "study")
    shutil.copy(Path(__file__).with_name("parts.yaml"), folder / "params.yaml")
    command = [sys.executable, "-m", "snakemake", "report.html"]
    environment = os.environ | {"MIMIC_TRACKING": "off"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "results/parts"


def code(folder: Path) -> set[str]:
    return set(json.loads((folder / "job.json").read_text())["code"])


def test_a_job_s_key_holds_the_parts_that_it_uses(finished):
    optimisers, cutout = "mimic.training.optimisers.", "mimic.data.transforms.cutout"
    assert {f"{optimisers}adamw", cutout} <= code(finished / "teachers/t1")
    assert f"{optimisers}sgd" not in code(finished / "teachers/t1")
    assert f"{optimisers}adamw" not in code(finished / "teachers/t2")
    # muon calls adamw for what is no matrix
    assert {f"{optimisers}muon", f"{optimisers}adamw", cutout} <= code(
        finished / "students/conv8-20k-logits-s1"
    )
    assert cutout in code(finished / "logits/000") and cutout not in code(finished / "ensemble")


def test_the_optimiser_s_own_rate_was_searched(finished):
    folder = finished / "students/searches/conv8-20k-logits"
    (selection,) = folder.rglob("selection.json")
    found = json.loads(selection.read_text())["hyperparameters"]["optimiser"]
    record = json.loads((finished / "students/conv8-20k-logits-s1/record.json").read_text())
    assert record["hyperparameters"]["student"]["optimiser"] == found
    assert found["kind"] == "muon" and 0.05 <= found["other_rate"] <= 0.5


def test_students_of_standardised_logits_keep_the_map_back_with_their_weights(finished):
    weights = load_file(finished / "students/resmlp-20k-logits-s1/model.safetensors")
    assert weights["logit_mean"].shape == (10,) and weights["logit_scale"] > 0
    assert "residual2.linear1.weight" in weights
    assert "logit_scale" not in load_file(finished / "students/conv8-20k-labels-s1/model.safetensors")


def test_the_report_names_them(finished):
    page = (finished / "report/report.html").read_text()
    for words in ("lfc-[fc-lfc]²", "c²-mp-c²-mp-c⁴-mp-fc²", "cutout, size 6", "muon, other_rate 0.1"):
        assert words in page
    assert "AdamW, beta2 0.99" in page and "targets standardise" in page
