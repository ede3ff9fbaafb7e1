"""`mimic clean` removes what left the study, on request alone."""

import shutil
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


@pytest.fixture
def clean(mimic):
    return lambda folder, *arguments: mimic(folder, "clean", *arguments)


def test_without_yes_it_only_tells(clean, folder):
    told = clean(folder).stdout
    assert "would remove results/tiny/students/old" in told
    assert all((folder / path).exists() for path in KEPT + OLD)
    assert not any(path in told for path in KEPT)


def test_with_yes_it_removes_what_no_job_needs(clean, folder):
    assert clean(folder, "--yes").returncode == 0
    assert [path for path in KEPT + OLD if (folder / path).exists()] == KEPT


def test_what_a_running_job_uses_stays(clean, folder):
    lock = folder / ".mimic/tiny/locks/student/mlp1-20k-logits-s1.lock"
    lock.parent.mkdir(parents=True)
    with FileLock(lock):
        clean(folder, "--yes")
    assert (folder / ".mimic/tiny/staging/student/mlp1-20k-logits-s1").exists()


def test_while_a_snakemake_is_at_work_it_refuses(clean, folder):
    with FileLock(folder / ".mimic/run.lock"):
        refused = clean(folder, "--yes")
    assert refused.returncode == 2
    assert "call `python -m mimic clean` when it has ended" in refused.stderr
    assert all((folder / path).exists() for path in KEPT + OLD)
