"""`mimic why` names the change that makes a job stale, and the way from there to the job."""

import copy
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from mimic.commands import why as command
from mimic.config.reading import check_parameters
from mimic.dag.study import Study
from mimic.engine import keys as keys_module
from mimic.engine.causes import Why
from mimic.engine.keys import Keys, code_of
from mimic.engine.sidecar import FileRecord, Sidecar, file_md5
from mimic.support.errors import MimicError
from mimic.support.frozen import Frozen, asked
from mimic.support.publish import write_json, write_text

TINY = yaml.safe_load((Path(__file__).parents[1] / "studies/tiny.yaml").read_text())
CONV1 = "conv1-20k-logits-s1"


def study(change=lambda content: None) -> Study:
    content = copy.deepcopy(TINY)
    change(content)
    return Study(check_parameters(content, "tiny.yaml"))


def finish(of: Study, *ids: str) -> None:
    """Leave a result of one byte a file for every job, or for those given."""
    keys = Keys()
    for job in of.jobs():
        if ids and job.id not in ids:
            continue
        files = {}
        for name, path in job.outputs.items():
            write_text(path, "x")
            files[name] = FileRecord(md5=file_md5(path), size=1)
        record = Sidecar(
            step=job.step, name=job.name, study=of.name, key=keys[job], parameters=asked(job.task),
            code=code_of(job.step, job.task), upstream={up.id: keys[up] for up in job.upstream}, files=files,
            provenance={},
        )  # fmt: skip
        write_json(job.sidecar, record.model_dump(mode="json"))


@pytest.fixture(autouse=True)
def finished(tmp_path, monkeypatch) -> Study:
    monkeypatch.chdir(tmp_path)
    of = study()
    finish(of)
    return of


def told(of: Study, step: str, name: str | None = None) -> list[str]:
    """The lines about one job."""
    return command._of_job(Why(of, Keys()), of.job(step, name))


def test_a_job_that_is_done_is_said_to_be_done(finished):
    assert told(finished, "student", CONV1)[0].startswith(f"student/{CONV1} is done")
    assert command._of_study(Why(finished, Keys())) == [
        f"study tiny: all {len(finished.jobs())} jobs are done"
    ]


def test_a_parameter_is_told_as_it_was_and_as_it_is():
    def change(content):
        content["students"]["variants"]["conv1"]["20k"]["learning_rate"] = 0.003

    assert told(study(change), "student", CONV1) == [
        f"student/{CONV1} is stale:",
        "  parameter student.learning_rate: 0.005 → 0.003",
    ]


def test_another_width_is_told_with_the_layers_that_it_changes():
    def change(content):
        content["students"]["variants"]["conv1"]["20k"]["widths"]["c"] = 9

    lines = told(study(change), "student", CONV1)
    assert "  parameter student.widths.c: 8 → 9" in lines
    assert any(line.startswith("  parameter net.0: conv 8 5 True → conv 9 5 True") for line in lines)


def test_a_change_upstream_is_told_with_the_way_to_it():
    of = study(lambda content: content["ensemble"].update(size=1))
    assert told(of, "student", CONV1) == [
        f"student/{CONV1} is stale:",
        "  upstream logits/000 ← ensemble/ensemble: parameter ensemble.size: 2 → 1",
    ]


def test_an_upstream_job_that_was_made_anew_meanwhile_is_named():
    of = study(lambda content: content["ensemble"].update(size=1))
    finish(of, "ensemble/ensemble")
    assert (
        told(of, "logits", "000")[1] == "  upstream ensemble/ensemble: ensemble/ensemble was made anew since"
    )


def test_code_is_told_by_its_module(finished, monkeypatch):
    def edited(step: str, task: Frozen) -> dict[str, str]:
        return code_of(step, task) | ({"mimic.distill.label": "0"} if step == "logits" else {})

    monkeypatch.setattr(keys_module, "code_of", edited)
    monkeypatch.setattr("mimic.engine.causes.code_of", edited)
    assert told(finished, "student", CONV1)[1:] == [
        "  upstream logits/000: code mimic.distill.label: changed"
    ]


def test_what_is_missing_or_damaged_is_named(finished):
    finished.job("teacher", "t1").outputs["model.safetensors"].unlink()
    assert told(finished, "teacher", "t1")[1] == "  results/tiny/teachers/t1/model.safetensors: missing"
    finished.job("teacher", "t2").sidecar.write_text("{")
    assert told(finished, "teacher", "t2")[1] == "  results/tiny/teachers/t2/job.json: missing or unreadable"


def test_the_study_is_told_by_causes_the_widest_first():
    def change(content):
        content["teachers"]["members"]["t2"]["seed"] = 9
        content["evaluation"]["calibration_bins"] = 10

    of = study(change)
    lines = command._of_study(Why(of, Keys()))
    stale = len(Why(of, Keys()).stale)
    assert lines[0] == f"study tiny: {stale} of {len(of.jobs())} jobs are stale"
    assert "  parameter teacher.seed: 2 → 9" in lines
    at = lines.index("  parameter evaluation.calibration_bins: 15 → 10")
    assert lines[at + 1].startswith("    ")
    numbers = [int(line.split()[0]) for line in lines[2::2] if line.startswith("    ")]
    assert numbers == sorted(numbers, reverse=True)


def test_a_job_is_found_by_its_id_its_folder_or_its_name(tmp_path, capsys):
    Path("params.yaml").write_text(yaml.safe_dump(TINY))
    for name in (f"student/{CONV1}", f"results/tiny/students/{CONV1}/", CONV1):
        command.run(SimpleNamespace(params=Path("params.yaml"), job=name))
        assert capsys.readouterr().out.startswith(f"student/{CONV1} is done")
    with pytest.raises(MimicError, match="no such job in study tiny"):
        command.run(SimpleNamespace(params=Path("params.yaml"), job="conv9"))
