"""dvc.yaml knows all that a result depends on: else DVC would call done what Snakemake calls stale."""

import copy
from pathlib import Path

import pytest
import yaml

from mimic.config.reading import check_parameters
from mimic.dag.study import Study
from mimic.engine.keys import code_of
from mimic.support.frozen import asked

ROOT = Path(__file__).parents[2]
# A value of each section of params.yaml that the demo doesn't have.
CHANGES = {
    "study": "other",
    "seed": 2,
    "precision": "fp32",
    "data": {"train": 3000},
    "augmentation": {"mirror": 0.25},
    "teachers": {"batch_size": 32},
    "ensemble": {"size": 2},
    "transfer": {"epochs_per_shard": 5},
    "students": {"batch_size": 32},
    "hard_label_twins": {"batch_size": 32},
    "dropout_twins": {"seeds": 2},
    "weight_decay_twins": {"seeds": 2},
    "search": {"averaged": 4},
    "evaluation": {"calibration_bins": 10},
    "report": {"confidence": 0.9},
    "cohort": 2,
}


def study(change: dict) -> Study:
    """The demo with other parameters, below another name for that of the study alone."""
    content = yaml.safe_load((ROOT / "presets/demo.yaml").read_text())
    for section, value in change.items():
        content[section] = content[section] | value if isinstance(value, dict) else value
    return Study(check_parameters(content, "demo"))


@pytest.fixture(scope="module")
def demo() -> Study:
    return study({})


@pytest.fixture(scope="module")
def stages() -> dict[str, dict]:
    """The stages with their paths as they are for the demo, and outputs without their settings."""
    text = (ROOT / "dvc.yaml").read_text().replace("${study}", "demo")
    stages = yaml.safe_load(text)["stages"]
    for stage in stages.values():
        outs = [*stage["outs"], *stage.get("metrics", [])]
        stage["outs"] = [path for out in outs for path in out]
    return stages


def is_in(path: Path, folders: list[str]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def stage_of(job, stages: dict) -> str:
    """The one stage among whose outputs every file of a job is."""
    owners = {name for file in job.files for name, stage in stages.items() if is_in(file, stage["outs"])}
    assert len(owners) == 1, (job, owners)
    assert all(is_in(file, stages[next(iter(owners))]["outs"]) for file in job.files), job
    return owners.pop()


def test_every_file_of_every_job_is_an_output_of_one_stage(demo, stages):
    assert {stage_of(job, stages) for job in demo.jobs()} == set(stages)


def test_a_stage_depends_on_the_results_that_its_jobs_read(demo, stages):
    for job in demo.jobs():
        here = stages[stage_of(job, stages)]
        for upstream in job.upstream:
            assert is_in(upstream.sidecar, here["deps"] + here["outs"]), (job, upstream)


def test_a_stage_depends_on_the_code_of_its_jobs(demo, stages):
    for job in demo.jobs():
        deps = stages[stage_of(job, stages)]["deps"]
        for name in code_of(job.step, job.task):
            path = "src/mimic/" + name if "/" in name else "src/" + name.replace(".", "/")
            assert is_in(Path(path), deps), (job, name)
        assert {"src/mimic/config", "src/mimic/dag"} <= set(deps)  # what makes tasks of parameters


def test_there_is_a_change_for_every_section():
    assert set(CHANGES) == set(yaml.safe_load((ROOT / "presets/demo.yaml").read_text()))


@pytest.mark.parametrize("section", CHANGES)
def test_a_stage_depends_on_the_parameters_of_its_jobs(demo, stages, section):
    changed = copy.copy(study({section: CHANGES[section]}))
    before = {job.id: asked(job.task) for job in demo.jobs()}
    affected = {
        stage_of(job, stages)
        for job in changed.jobs()
        if section != "study" and before.get(job.id) != asked(job.task)
    }
    if section == "study":
        affected = {"report"}  # shows its name
    if section == "cohort":
        assert not affected
    assert all(section in stages[name]["params"] for name in affected)
