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
    # Cohorts of trials: 126 teachers, each alone, and 40 searches of 5 rounds of 2 cohorts.
    counts = {"teacher": 3, "logits": 16, "train_trials": 126 + 40 * 5 * 2, "trial": 2126, "proposal": 213}
    for rule, runs in counts.items():
        assert re.search(rf"^{rule} +{runs}$", done.stdout + done.stderr, re.MULTILINE)
    assert not (folder / "results").exists()
