"""Presets and documents agree with the types and with each other."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mimic.config.parameters import Parameters
from mimic.config.reading import read_parameters
from mimic.dag.study import Study
from mimic.engine.open_study import open_study
from mimic.plan.estimate import make_plan
from mimic.plan.hardware import named
from mimic.plan.work import Counts, images_of

ROOT = Path(__file__).parents[1]
PRESETS = sorted(path.stem for path in (ROOT / "presets").glob("*.yaml"))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_valid_and_its_nets_meet_their_budgets(name):
    study = open_study(ROOT / "presets" / f"{name}.yaml")
    assert study.name == name


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_gives_every_key(name):
    given = yaml.safe_load((ROOT / "presets" / f"{name}.yaml").read_text())
    assert set(given) == set(Parameters.model_fields)
    for group, model in Parameters.model_fields.items():
        if isinstance(given[group], dict) and hasattr(model.annotation, "model_fields"):
            assert set(given[group]) == set(model.annotation.model_fields), group


@pytest.mark.parametrize(("name", "hours"), [("laptop", 2.5), ("night", 10)])
def test_a_preset_for_two_cores_ends_in_time(name, hours):
    study = Study(read_parameters(ROOT / "presets" / f"{name}.yaml"))
    plan = make_plan(study, Counts(images_of(study.parameters.data, study.folder)), named("amx-2-cores"), [2])
    assert plan.wall_seconds[2] < hours * 3600


@pytest.mark.parametrize("name", ["rates", "night", "gpu"])
def test_both_arms_are_tuned_alike(name):
    """Students and their hard-label twins: searched with equal effort, trained as long from as many seeds."""
    p = read_parameters(ROOT / "presets" / f"{name}.yaml")
    for family, twins in p.hard_label_twins.variants.items():
        for budget, twin in twins.items():
            assert p.students.variants[family][budget].widths == twin.widths
    assert p.students.schedule == p.hard_label_twins.schedule and p.students.seeds == p.hard_label_twins.seeds
    mimics, twins = p.search.students, p.search.hard_label_twins
    if mimics or twins:
        assert (mimics.trials, mimics.at_once) == (twins.trials, twins.at_once)


def test_the_study_at_hand_is_the_demo():
    committed = subprocess.run(
        ["git", "show", "HEAD:params.yaml"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if committed.returncode:
        pytest.skip("no git repository here")
    *lines, demo = (
        [line for line in text.splitlines() if "$schema" not in line]  # its place differs
        for text in (committed.stdout, (ROOT / "presets/demo.yaml").read_text())
    )
    assert lines == [demo]


def test_the_paper_s_study_has_the_paper_s_size():
    study = Study(read_parameters(ROOT / "presets/paper.yaml"))
    names = [job.name for job in study.jobs("student")]
    trials = [job.name for job in study.jobs("trial")]
    assert len(study.jobs("teacher")) + sum(name.startswith("teachers-") for name in trials) == 129
    assert sum("-logits-" in name for name in trials) == 9 * 4 * 50
    assert sum("-logits-" in name for name in names) == 9 * 4 * 5
    assert sum("-labels-" in name for name in names) == 4 * 5


@pytest.mark.long
def test_a_dry_run_of_the_paper_s_study_builds_its_dag(tmp_path, make_repository):
    folder = make_repository(tmp_path / "study")
    command = [sys.executable, "-m", "snakemake", "-n", "--config", "params=presets/paper.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # Cohorts of trials: 126 teachers, each alone, and 46 searches of 5 rounds of 2 cohorts.
    counts = {"teacher": 3, "logits": 16, "train_trials": 126 + 46 * 5 * 2, "proposal": 243}
    counts |= {"round_of_10": 12 + 46 * 5, "round_of_6": 1}
    for rule, runs in counts.items():
        assert re.search(rf"^{rule} +{runs}$", done.stdout + done.stderr, re.MULTILINE)
    assert not (folder / "results").exists()
