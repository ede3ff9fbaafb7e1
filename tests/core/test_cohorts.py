"""Cohorts share a process and nothing else; their record follows the members' sidecars."""

from pathlib import Path

import pytest
import yaml

from mimic.core import identity, publish, specs
from mimic.core.cohorts import Cohorts
from mimic.core.identity import FileRecord, Keys, Sidecar
from mimic.core.jobs import SIDECAR
from mimic.core.reading import check_parameters
from mimic.core.study import Study

TINY = yaml.safe_load((Path(__file__).parents[1] / "studies/tiny.yaml").read_text())


def study(cohort):
    return Study(check_parameters(TINY | {"cohort": cohort}, "tiny.yaml"))


@pytest.mark.parametrize("size", [1, 2, 100])
def test_every_student_is_in_one_cohort_of_its_stream(size):
    of = study(size)
    cohorts = Cohorts(of).all("student")
    members = [job.id for cohort in cohorts for job in cohort.members]
    assert members == [job.id for job in of.jobs("student")]
    assert max(len(cohort.members) for cohort in cohorts) == min(size, 3)  # three on the logits, then a twin
    for cohort in cohorts:
        assert {tuple(up.id for up in job.upstream) for job in cohort.members} == {
            tuple(up.id for up in cohort.upstream)
        }
    assert len({cohort.name for cohort in cohorts}) == len(cohorts)


def test_company_is_in_no_key():
    alone, together = Keys(), Keys()
    assert [alone[job] for job in study(1).jobs()] == [together[job] for job in study(3).jobs()]


@pytest.fixture
def finished(tmp_path, monkeypatch):
    """A study of three students in a cohort, each with a fresh result of one byte a file."""
    monkeypatch.chdir(tmp_path)
    of, keys = study(3), Keys()
    for job in of.jobs("student"):
        files = {}
        for name, path in job.outputs.items():
            publish.write_text(path, "x")
            files[name] = FileRecord(md5=identity.file_md5(path), size=1)
        record = Sidecar(
            step=job.step, name=job.name, study=of.name, key=keys[job], parameters={}, code={}, upstream={},
            files=files, provenance={},
        )  # fmt: skip
        publish.write_json(job.folder / SIDECAR, record.model_dump(mode="json"))
    return of


def record_and_specs(of):
    specs.write_specs(of, Keys())
    cohort = Cohorts(of).all("student")[0]
    record = specs.record_path(of.name, cohort)
    dates = {job.name: specs.spec_path(of.name, job.step, job.name).stat().st_mtime for job in cohort.members}
    return record, dates


def test_a_record_is_made_from_sidecars_and_newer_than_its_specs(finished):
    record, dates = record_and_specs(finished)
    written = record.stat().st_mtime
    assert all(date < written for date in dates.values())
    record.unlink()  # as in a fresh clone
    assert record_and_specs(finished)[0].stat().st_mtime == written


def test_a_damaged_member_alone_is_newer_than_the_record(finished):
    record, _ = record_and_specs(finished)
    lost = finished.job("student", "conv1-20k-logits-s1")
    lost.outputs["model.safetensors"].unlink()
    record, dates = record_and_specs(finished)
    assert [name for name, date in dates.items() if date > record.stat().st_mtime] == [lost.name]
