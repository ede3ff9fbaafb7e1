"""`dvc repro` drives the same jobs: it trains what changed and nothing that is done."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(folder: Path, *command: str) -> str:
    """What a command prints; it must succeed."""
    bin_folder = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def trainings(folder: Path) -> dict[str, str]:
    """When each training began."""
    paths = [
        *folder.glob("results/tiny/teachers/*/job.json"),
        *folder.glob("results/tiny/students/*/job.json"),
    ]
    return {path.parent.name: json.loads(path.read_text())["provenance"]["started"] for path in paths}


@pytest.fixture(scope="module")
def clone(tmp_path_factory, make_repository) -> Path:
    """A git repository of the tiny study after its first `dvc repro`."""
    folder = make_repository(tmp_path_factory.mktemp("dvc") / "study")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("dvc.yaml", ".dvcignore", ".gitignore"):
        shutil.copy(ROOT / name, folder / name)
    run(folder, "git", "init", "--quiet")
    run(folder, "dvc", "init", "--quiet")
    run(folder, "dvc", "repro")
    return folder


def test_a_second_repro_and_snakemake_have_nothing_to_do(clone):
    assert "Data and pipelines are up to date" in run(clone, "dvc", "repro")
    assert "Data and pipelines are up to date" in run(clone, "dvc", "status")
    assert "Nothing to be done" in run(clone, "snakemake", "-n", "report.html")
    assert "ensemble_accuracy" in run(clone, "dvc", "metrics", "show", "--json")


def test_a_student_changed_trains_alone_and_changed_back_not_at_all(clone):
    before, params = trainings(clone), clone / "params.yaml"
    text = params.read_text()
    params.write_text(text.replace("widths: {c: 8, fc: 60}", "widths: {c: 9, fc: 60}"))
    run(clone, "dvc", "repro")
    after = trainings(clone)
    assert {name for name in before if before[name] != after[name]} <= {"conv1-20k-logits-s1"}
    record = json.loads((clone / "results/tiny/students/conv1-20k-logits-s1/record.json").read_text())
    assert record["hyperparameters"]["student"]["widths"]["c"] == 9
    params.write_text(text)
    run(clone, "dvc", "repro")
    assert trainings(clone) == before
    assert "Data and pipelines are up to date" in run(clone, "dvc", "status")
