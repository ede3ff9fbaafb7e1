"""How a step that is run ends, in words."""

import errno
import shutil
from pathlib import Path

import pytest

from mimic.__main__ import main
from mimic.commands import run

STUDENT = "conv1-20k-logits-s1"


@pytest.fixture(autouse=True)
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(Path(__file__).parents[1] / "contract/small.yaml", "params.yaml")


@pytest.fixture
def broken_by(monkeypatch):
    """Have every step raise an error."""

    def broken(error: Exception) -> None:
        def fail(*_):
            raise error

        monkeypatch.setattr(run.engine, "run", fail)

    return broken


def test_a_cohort_that_finds_the_disk_full_says_so_in_a_line(broken_by, capsys):
    full = OSError(errno.ENOSPC, "No space left on device", "results/model")
    broken_by(ExceptionGroup("2 of 2 failed", [full, full]))
    assert main(["student", STUDENT, "--log", "log"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"student {STUDENT}: failed: results/model: no space left on device: ")
    assert said.count("\n") == 1
    assert "make room and call again" in Path("log").read_text()


def test_a_fault_keeps_its_traceback(broken_by):
    broken_by(ValueError("of the code"))
    with pytest.raises(ValueError, match="of the code"):
        main(["data"])
