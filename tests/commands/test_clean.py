"""`mimic clean` removes what left the study, on request alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]
KEPT = [
    "results/tiny/students/mlp1-20k-logits-s1",
    "results/tiny/teachers/t1",
    "results/tiny/report",
    "results/other/students/old",
    ".mimic/tiny/training/student/mlp1-20k-logits-s1",
]
OLD = [
    "results/tiny/students/old",
    "results/tiny/students/searches/old",
    "results/tiny/logits/017",
    ".mimic/tiny/training/student/old",
    ".mimic/tiny/staging/student/mlp1-20k-logits-s1",
    ".mimic/store/0123",
]


@pytest.fixture
def folder(tmp_path) -> Path:
    shutil.copy(ROOT / "tests/studies/tiny.yaml", tmp_path / "params.yaml")
    for path in KEPT + OLD:
        (tmp_path / path).mkdir(parents=True)
        (tmp_path / path / "model.safetensors").write_text("weights")
    return tmp_path


def clean(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "mimic", "clean", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=os.environ)


def test_without_yes_it_only_tells(folder):
    told = clean(folder).stdout
    assert "would remove results/tiny/students/old" in told
    assert all((folder / path).exists() for path in KEPT + OLD)
    assert not any(path in told for path in KEPT)


def test_with_yes_it_removes_what_no_job_needs(folder):
    assert clean(folder, "--yes").returncode == 0
    assert [path for path in KEPT + OLD if (folder / path).exists()] == KEPT


def test_what_a_running_job_uses_stays(folder):
    lock = folder / ".mimic/tiny/locks/student/mlp1-20k-logits-s1.lock"
    lock.parent.mkdir(parents=True)
    with FileLock(lock):
        clean(folder, "--yes")
    assert (folder / ".mimic/tiny/staging/student/mlp1-20k-logits-s1").exists()


def test_while_a_snakemake_is_at_work_it_refuses(folder):
    with FileLock(folder / ".mimic/run.lock"):
        refused = clean(folder, "--yes")
    assert refused.returncode == 2
    assert "call `python -m mimic clean` when it has ended" in refused.stderr
    assert all((folder / path).exists() for path in KEPT + OLD)
