"""The Snakefile says what the study is: each rule reads and makes the files that the DAG as data names."""

from itertools import groupby
from pathlib import Path

import pytest
import yaml
from snakemake.api import SnakemakeApi
from snakemake.settings.types import DAGSettings, OutputSettings, Quietness, ResourceSettings

from mimic.dag.cohorts import Cohorts
from mimic.dag.jobs import Job
from mimic.engine.open_study import open_study
from mimic.engine.stamps import record_path

HERE = Path(__file__).parent
SPECS = ".mimic/specs/"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make_repository) -> Path:
    """A clone with a study that has searches, of teachers too, and a teacher called `teacher`."""
    folder = make_repository(tmp_path_factory.mktemp("snakefile") / "study")
    text = (HERE / "studies/search.yaml").read_text().replace("    t1:", "    teacher:", 1)
    (folder / "params.yaml").write_text(text)
    assert "teacher" in yaml.safe_load(text)["teachers"]["members"]
    return folder


@pytest.fixture(scope="module")
def rules(folder) -> list:
    """Every job of Snakemake's DAG for the target `all`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        quiet = OutputSettings(dryrun=True, quiet={Quietness.ALL})
        with SnakemakeApi(quiet) as api:
            workflow = api.workflow(resource_settings=ResourceSettings(cores=1), snakefile=Path("Snakefile"))
            workflow.dag(DAGSettings(targets={"all"})).execute_workflow(executor="dryrun")
            yield list(workflow._workflow.dag.jobs)


@pytest.fixture(scope="module")
def study(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield open_study(Path("params.yaml"))


def makes(rules: list, file: Path):
    (found,) = [rule for rule in rules if str(file) in map(str, rule.output)]
    return found


def read_by(*jobs: Job) -> set[str]:
    return {str(path) for job in jobs for up in job.upstream for path in job.inputs(up).values()}


def inputs(rule) -> set[str]:
    return {str(file) for file in rule.input if not str(file).startswith(SPECS)}


def test_a_rule_makes_every_file_of_its_job_and_reads_what_the_job_reads(rules, study):
    cohorts = Cohorts(study)
    trials = groupby(study.jobs("trial"), key=lambda trial: trial.folder.parent)
    rounds = {folder: list(group) for folder, group in trials}
    for job in study.jobs():
        rule = makes(rules, job.sidecar)
        together = rounds.get(job.folder.parent, [job])  # the trials of a round are published by one job
        assert rule.rule.name == (job.step if job.step != "trial" else f"round_of_{len(together)}")
        assert set(map(str, rule.output)) == {str(file) for one in together for file in one.files}
        if cohort := cohorts.of(job):
            record = record_path(study.name, cohort)
            assert inputs(rule) == {str(record_path(study.name, cohorts.of(one))) for one in together}
            trained = makes(rules, record)
            assert inputs(trained) == read_by(*cohort.members), job
            assert set(trained.params.members) == {str(member.folder) for member in cohort.members}
        else:
            assert inputs(rule) == read_by(job), job


def test_every_job_has_its_spec_among_its_inputs(rules):
    for rule in rules:
        made = [str(file) for file in rule.output if Path(file).name == "job.json" or "/cohorts/" in file]
        assert sorted(SPECS + file for file in made) == sorted(f for f in rule.input if f.startswith(SPECS))


def test_a_job_says_what_it_trains(rules, study):
    messages = {rule.message for rule in rules if rule.rule.name in ("train_students", "train_trials")}
    for job in study.jobs("student", "trial"):
        assert any(job.name in message for message in messages)
    assert not any("-and-" in message for message in messages)


def test_parameters_shown_by_a_rule_are_those_that_change_its_jobs(rules, study):
    """As dvc.yaml names them for its stages: a section that is not shown is in no key of the rule's jobs."""
    shown = {rule.rule.name: {name for name, _ in rule.params._allitems()} for rule in rules}
    assert {"seed", "precision", "augmentation", "teachers"} == shown["teacher"]
    assert {"seed", "precision", "augmentation", "transfer"} == shown["logits"]
    assert {"seed", "data"} == shown["data"]
