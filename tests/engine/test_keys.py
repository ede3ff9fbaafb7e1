"""Keys follow what a result depends on, and nothing else."""

import copy
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from mimic.config.reading import check_parameters
from mimic.dag.study import Study
from mimic.engine.keys import Keys, digest

DEMO = yaml.safe_load((Path(__file__).parents[2] / "presets/demo.yaml").read_text())


def keys(change=lambda content: None) -> dict[str, str]:
    """The keys of the demo's jobs after a change of its parameters."""
    content = copy.deepcopy(DEMO)
    change(content)
    study, known = Study(check_parameters(content, "demo")), Keys()
    return {job.id: known[job] for job in study.jobs()}


def changed(change) -> set[str]:
    before, after = keys(), keys(change)
    return {job for job in before | after if before.get(job) != after.get(job)}


def steps(jobs: set[str]) -> set[str]:
    return {job.split("/")[0] for job in jobs}


def test_a_student_reruns_alone_with_what_reads_it():
    def change(content):
        content["students"]["variants"]["conv2"]["200k"]["learning_rate"] = 0.03

    assert changed(change) == {
        "student/conv2-200k-logits-s1",
        "evaluation/conv2-200k-logits-s1",
        "comparison/comparison",
        "report/report",
    }


def test_a_teacher_reruns_what_is_downstream_but_no_hard_label_twin():
    def change(content):
        content["teachers"]["members"]["t2"]["seed"] = 7

    jobs = changed(change)
    assert {"teacher/t2", "ensemble/ensemble", "logits/000", "student/conv2-200k-logits-s1"} <= jobs
    assert not {"data/data", "teacher/t1", "teacher/t3", "student/conv2-200k-labels-s1"} & jobs


def test_the_name_that_the_report_gives_the_data_reruns_the_report_alone():
    assert changed(lambda content: content["data"].update(label="shapes")) == {"report/report"}


def test_other_data_rerun_everything_but_the_first_points_of_a_search():
    jobs = set(keys()) - changed(lambda content: content["data"].update(train=3000))
    assert jobs == {"proposal/mlp2-200k-logits-r01", "proposal/mlp2-200k-logits-random-r01"}


def test_a_longer_transfer_set_keeps_the_shards_that_it_has():
    def change(content):
        content["transfer"]["epochs"] = 24

    jobs = changed(change)
    assert not {"logits/000", "logits/001"} & jobs
    assert {"logits/002", "logits/003"} <= jobs


def test_the_study_s_name_and_place_are_in_no_key():
    renamed = keys(lambda content: content.update(study="other"))
    assert {job for job, key in renamed.items() if keys()[job] != key} == {"report/report"}


def test_a_value_changed_back_has_its_old_key():
    assert keys(lambda content: content.update(seed=2)) != keys()
    assert keys(lambda content: content.update(seed=1)) == keys()


@given(st.integers(-1000, 1000))
def test_one_and_one_point_zero_are_one_value(number):
    assert digest({"a": [number]}) == digest({"a": [float(number)]})


@given(st.floats(-10, 10), st.floats(-10, 10))
def test_other_values_have_other_digests(a, b):
    assert (digest(a) == digest(b)) == (a == b)
