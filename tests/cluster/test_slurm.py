"""What needs no cluster."""

import inspect

import pytest
import snakemake_executor_plugin_slurm as plugin

from mimic.cluster import slurm
from mimic.cluster.check import Profile, check
from mimic.cluster.plugin import known
from mimic.cluster.slurm import SlurmError
from mimic.core.errors import MimicError


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
    findings = list(check(Profile(profile)))
    assert [finding.ok for finding in findings] == [False]
    assert "call this on a login node" in findings[0].text


def test_another_profile_is_refused(tmp_path):
    profile = tmp_path / "config.yaml"
    profile.write_text("cores: all\n")
    with pytest.raises(MimicError, match="must say `executor: slurm`"):
        Profile(profile)
