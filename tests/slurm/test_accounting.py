"""A cluster that keeps accounts, and whose GPUs are shared."""

import os

import pytest
from accounting import ACCOUNT
from cluster import Cluster
from cluster_study import job_number, lacking, node

BY_SACCT = ("slurm-status-command: squeue", "slurm-status-command: sacct")
SHARES = ("gpu: 1", "gres: shard:1\n  gpu: 0")  # as docs/cluster.md says


@pytest.fixture
def cluster(slurm, tmp_path):
    """Two nodes whose jobs sacct knows."""
    with Cluster(tmp_path / "cluster", with_accounting=True) as running:
        yield running


def sacct(cluster: Cluster, column: str, *options: str) -> list[str]:
    """What sacct tells of jobs, without their steps."""
    form = ("--noheader", "--allocations", "--parsable2", "--units=M", f"--format={column}")
    command = ["sacct", *form, *options]
    return cluster.run(*command).stdout.splitlines()


def test_a_study_by_sacct_on_shares_of_gpus(study, undisturbed):
    cluster = study.cluster
    study.change_profile(BY_SACCT, SHARES)
    study.start()

    cancelled = job_number(study.strike())
    cluster.run("scancel", cancelled)

    cluster.preempt(node(study.strike()))

    study.finish()
    assert sacct(cluster, "State", f"--jobs={cancelled}") == [f"CANCELLED by {os.getuid()}"]
    assert "PREEMPTED" in sacct(cluster, "State")
    given = sacct(cluster, "AllocTRES", f"--jobs={cancelled}")[0]
    assert "gres/shard=1" in given
    assert "mem=8000M" in given
    assert any("mem=16000M" in line for line in sacct(cluster, "AllocTRES"))  # the second attempt
    assert set(sacct(cluster, "Account")) == {ACCOUNT}
    assert study.tensors() == undisturbed.tensors()


def test_what_the_accounts_refuse_is_named_before_any_job(folder):
    assert set(lacking(folder, BY_SACCT, SHARES)) == {"cuda"}
    assert "account" in lacking(folder, ("# slurm_account: my_account", "slurm_account: physics"))["request"]
    assert "qos" in lacking(folder, ("# qos: normal", "qos: premium"))["request"]
