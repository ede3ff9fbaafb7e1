"""Dates that Snakemake compares follow the keys, whatever dates results have."""

import os
import shutil
import time
from pathlib import Path

import pytest

from mimic.dag.study import Study
from mimic.engine import stamps
from mimic.engine.keys import Keys
from mimic.engine.open_study import open_study
from mimic.engine.specs import read_spec, spec_path

CLOCK = Path("clock")
AHEAD = 1200  # seconds


@pytest.fixture
def study(tmp_path, monkeypatch) -> Study:
    """A study all of whose results are there, and were made twenty minutes from now."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(Path(__file__).parents[1] / "contract/small.yaml", "params.yaml")
    study = open_study(Path("params.yaml"))
    ahead = time.time() + AHEAD
    for job in study.jobs():
        job.folder.mkdir(parents=True)
        for file in job.files:
            file.write_text("result")
            os.utime(file, (ahead, ahead))
    CLOCK.touch()
    return study


def dates(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_no_date_of_a_result_or_spec_is_later_than_now(study):
    stamps.renew_results(study, set(), CLOCK)
    stamps.write_specs(study, Keys(), {job.id for job in study.jobs()})
    now = time.time_ns()
    assert max(dates(Path("results")).values()) <= now
    for job in study.jobs():
        assert min(file.stat().st_mtime_ns for file in job.files) < spec_path(job.folder).stat().st_mtime_ns
        assert spec_path(job.folder).stat().st_mtime_ns <= now


def test_earlier_dates_and_links_stay_as_they_are(study):
    job = study.job("teacher", "t1")
    model, link = job.outputs["model.safetensors"], job.outputs["record.json"]
    os.utime(model, (1e9, 1e9))
    link.unlink()
    link.symlink_to(Path("cached").absolute())
    Path("cached").write_text("record")
    os.utime(link, (time.time() + AHEAD,) * 2, follow_symlinks=False)
    stamps.renew_results(study, set(), CLOCK)
    assert model.stat().st_mtime == 1e9
    assert link.is_symlink()
    assert link.lstat().st_mtime <= time.time()


def test_a_spec_that_asks_for_a_result_anew_asks_only_once(study):
    teacher, keys = study.job("teacher", "t1"), Keys()
    stamps.write_specs(study, keys, set())
    date = spec_path(teacher.folder).stat().st_mtime_ns
    stamps.mark_anew(study, [teacher], keys, "1")
    assert read_spec(teacher.folder).anew == "1"
    assert spec_path(teacher.folder).stat().st_mtime_ns == date
    stamps.write_specs(study, keys, set())
    assert read_spec(teacher.folder).anew is None
