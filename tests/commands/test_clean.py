"""`mimic clean` removes what left the study, on request alone."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    shutil.copy(ROOT / "tests/studies/tiny.yaml", tmp_path / "params.yaml")
    for path in (
        "results/tiny/students/old",
        "results/tiny/students/mlp1-20k-logits-s1",
        ".mimic/store/0123",
    ):
        (tmp_path / path).mkdir(parents=True)
        (tmp_path / path / "model.safetensors").write_text("weights")
    return tmp_path


def clean(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "mimic", "clean", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_without_yes_it_only_tells(folder):
    assert "would remove results/tiny/students/old" in clean(folder)
    assert (folder / "results/tiny/students/old").exists()
    assert (folder / ".mimic/store/0123").exists()


def test_with_yes_it_removes_what_no_job_needs(folder):
    clean(folder, "--yes")
    assert not (folder / "results/tiny/students/old").exists()
    assert not (folder / ".mimic/store/0123").exists()
    assert (folder / "results/tiny/students/mlp1-20k-logits-s1/model.safetensors").exists()
