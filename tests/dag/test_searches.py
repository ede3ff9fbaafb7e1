"""A search is a chain of jobs whose keys stay when it grows."""

from pathlib import Path

import pytest
import yaml

from mimic.config.reading import check_parameters
from mimic.dag.study import Study
from mimic.engine.keys import Keys
from mimic.support.errors import MimicError

TINY = yaml.safe_load((Path(__file__).parents[1] / "studies/tiny.yaml").read_text())
RATES = {"low": 1.0e-4, "high": 1.0e-2, "log": True}


def study(trials=5, at_once=2, baseline=None, of_teachers=5):
    effort = {"trials": trials, "at_once": at_once}
    search = {"algorithm": "gp", "baseline": baseline, "averaged": 5}
    search["students"] = effort | {"spaces": {"conv2": {"20k": {"learning_rate": RATES}}}}
    search["teachers"] = {"trials": of_teachers, "at_once": at_once} | {"space": {"learning_rate": RATES}}
    return Study(check_parameters(TINY | {"search": search}, "tiny.yaml"))


def keys(of):
    known = Keys()
    return {job.id: known[job] for job in of.jobs()}


def test_rounds_of_trials_follow_their_proposals():
    of = study(trials=5, at_once=2)
    trials = [job.name for job in of.jobs("trial") if job.name.startswith("conv2")]
    assert trials == [
        f"conv2-20k-logits-r{r:02d}-t{t:02d}" for r, t in ((1, 1), (1, 2), (2, 1), (2, 2), (3, 1))
    ]
    third = of.job("proposal", "conv2-20k-logits-r03")
    assert [job.name for job in third.upstream] == trials[:4]
    last = of.job("trial", trials[-1])
    assert [job.id for job in last.upstream] == ["data/data", "logits/000", "logits/001", third.id]
    assert last.folder == Path("results/tiny/students/searches/conv2-20k-logits/r03/t01")


def test_more_trials_leave_those_that_are_done_alone():
    before, after = keys(study(trials=5)), keys(study(trials=8))
    kept = {job for job in before if job.startswith(("proposal/", "trial/"))}
    assert {job: after[job] for job in kept} == {job: before[job] for job in kept}
    assert sum(job.startswith("trial/conv2") for job in after) == 8
    assert after["selection/conv2-20k-logits"] != before["selection/conv2-20k-logits"]


def test_more_teachers_change_the_ensemble_and_what_it_taught():
    before, after = keys(study()), keys(study(of_teachers=6))
    assert all(after[job] == before[job] for job in before if job.startswith("trial/teachers"))
    assert after["trial/conv2-20k-logits-r01-t01"] != before["trial/conv2-20k-logits-r01-t01"]


def test_the_selection_feeds_the_student_and_the_trials_the_ensemble():
    of = study()
    student = of.job("student", "conv2-20k-logits-s1")
    assert "selection/conv2-20k-logits" in [job.id for job in student.upstream]
    assert of.job("student", "conv1-20k-logits-s1").upstream[-1].step == "logits"
    candidates = [job.name for job in of.job("ensemble").upstream]
    assert candidates[:3] == ["data", "t1", "t2"]
    assert candidates[3:] == [job.name for job in of.jobs("trial") if job.name.startswith("teachers-")]


def test_a_baseline_is_reported_and_chooses_nothing():
    of = study(baseline="random")
    selection = "selection/conv2-20k-logits-random"
    readers = [job.id for job in of.jobs() if selection in [up.id for up in job.upstream]]
    assert readers == ["report/report"]
    plain, compared = keys(study()), keys(of)
    assert all(compared[job] == plain[job] for job in plain if job != "report/report")


def test_only_the_evaluation_sees_test_images_and_no_search_does():
    for job in study(baseline="random").jobs():
        opened = [file for up in job.upstream for file in job.inputs(up)]
        assert ("test.safetensors" in opened) == (job.step == "evaluation")


def test_a_search_without_its_default_is_refused():
    content = TINY | {
        "search": {
            "students": {"trials": 2, "at_once": 2, "spaces": {"conv3": {"20k": {"learning_rate": RATES}}}}
        }
    }
    with pytest.raises(
        MimicError, match=r"search.students: students.variants.conv3.20k, its default, is missing"
    ):
        check_parameters(content, "tiny.yaml")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"low": 2.0, "high": 1.0}, "low must be below high"),
        ({"low": 1.0001, "high": 1.0002}, "low must be below high, in their first 4 digits"),
        ({"low": 0.0, "high": 1.0, "log": True}, "a logarithmic range must begin above 0"),
    ],
)
def test_a_wrong_range_is_refused_by_its_place(given, said):
    space = {"learning_rate": given}
    content = TINY | {"search": {"teachers": {"trials": 2, "at_once": 2, "space": space}}}
    with pytest.raises(MimicError, match=rf"search.teachers.space.learning_rate: {said}"):
        check_parameters(content, "tiny.yaml")
