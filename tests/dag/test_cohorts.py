"""Cohorts share a process and nothing else."""

from pathlib import Path

import pytest
import yaml

from mimic.config.reading import check_parameters
from mimic.dag.cohorts import Cohorts
from mimic.dag.study import Study
from mimic.engine.keys import Keys

TINY = yaml.safe_load((Path(__file__).parents[1] / "studies/tiny.yaml").read_text())


def study(cohort):
    return Study(check_parameters(TINY | {"cohort": cohort}, "tiny.yaml"))


@pytest.mark.parametrize("size", [1, 2, 100])
def test_every_student_is_in_one_cohort_of_its_stream(size):
    of = study(size)
    cohorts = [cohort for cohort in Cohorts(of).all() if cohort.step == "student"]
    members = [job.id for cohort in cohorts for job in cohort.members]
    assert members == [job.id for job in of.jobs("student")]
    assert max(len(cohort.members) for cohort in cohorts) == min(size, 3)  # three on the logits, then a twin
    for cohort in cohorts:
        assert len({tuple(up.id for up in job.upstream) for job in cohort.members}) == 1
    assert len({cohort.name for cohort in cohorts}) == len(cohorts)


def test_company_is_in_no_key():
    alone, together = Keys(), Keys()
    assert [alone[job] for job in study(1).jobs()] == [together[job] for job in study(3).jobs()]


def test_a_variant_may_have_a_schedule_of_its_own():
    """It is in the key of that variant alone, and in none where it is the group's."""

    def keys(schedule):
        variants = TINY["students"]["variants"]
        changed = {budget: net | {"schedule": schedule} for budget, net in variants["conv2"].items()}
        students = TINY["students"] | {"variants": variants | {"conv2": changed}}
        parameters, keys = check_parameters(TINY | {"students": students}, "tiny.yaml"), Keys()
        return {job.name: keys[job] for job in Study(parameters).jobs("student")}

    own, groups = keys({"kind": "one_cycle", "epochs": 9}), keys(TINY["students"]["schedule"])
    assert groups == keys(None)
    assert {name for name in own if own[name] != groups[name]} == {"conv2-20k-logits-s1"}
