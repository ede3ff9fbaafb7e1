"""What needs no cluster."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
import snakemake_executor_plugin_slurm as plugin

from mimic.cluster import slurm
from mimic.cluster.plugin import known
from mimic.cluster.profile import TRAINING, Profile
from mimic.cluster.requirements import check_cluster
from mimic.cluster.slurm import SlurmError
from mimic.config.strict_yaml import read_yaml
from mimic.engine.ending import jobs_here
from mimic.support.errors import MimicError

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("CANCELLED by 1000", "CANCELLED"),
        ("PREEMPTED", "CANCELLED"),
        ("REVOKED", "CANCELLED"),
        ("COMPLETED", "COMPLETED"),
        ("TIMEOUT", "TIMEOUT"),
        ("RUNNING", "RUNNING"),
    ],
)
def test_every_state_is_put_in_words_that_the_plugin_knows(state, word):
    assert known(state) == word
    if state.split()[0] in slurm.ENDED:
        assert f'"{word}"' in inspect.getsource(plugin.Executor.check_active_jobs)


def test_the_plugin_calls_what_is_mended():
    source = inspect.getsource(plugin.Executor.check_active_jobs)
    assert "await query_job_status(" in source
    assert 'is_query_tool_available("sacct")' in source


def test_without_slurm_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SlurmError, match="squeue: not found"):
        slurm.folder_jobs(tmp_path)
    profile = tmp_path / "config.yaml"
    profile.write_text("executor: slurm\n")
    (programs,) = check_cluster(Profile(profile))
    assert not programs.ok
    assert "call this on a login node" in programs.text


def test_the_profile_names_rules_that_are_there():
    rules = set(re.findall(r"^rule (\w+):", (ROOT / "Snakefile").read_text(), re.MULTILINE))
    profile = read_yaml(ROOT / "profiles/slurm/config.yaml")
    assert TRAINING in profile["set-resources"]
    assert {*profile["set-resources"], *profile["set-threads"]} <= rules
    assert Profile(ROOT / "profiles/slurm/config.yaml").options == [
        *("--partition=gpu", "--gpus=1", "--cpus-per-task=4", "--mem=8000")
    ]


def test_the_watch_knows_a_job_of_snakemakes_own_by_its_command():
    assert not jobs_here()
    code = "import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, "-m", "mimic", "run"]) as job:
        assert jobs_here()
        job.kill()


def test_another_profile_is_refused(tmp_path):
    profile = tmp_path / "config.yaml"
    profile.write_text("cores: all\n")
    with pytest.raises(MimicError, match="must say `executor: slurm`"):
        Profile(profile)
