"""A process takes the processors that it may use, not all that the machine has."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.utils import available_cpu_count

from mimic.support.processors import usable
from mimic.workflow import fit_cores

MACHINE = 64


@pytest.fixture
def large_machine(monkeypatch):
    """With many processors, all of which this process may use."""
    monkeypatch.setattr("os.cpu_count", lambda: MACHINE)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(MACHINE)), raising=False)
    for name in ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE", "LOKY_MAX_CPU_COUNT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.path.exists", lambda path: not str(path).startswith("/sys/fs/cgroup"))
    return monkeypatch


def test_a_machine_of_one_s_own_is_used_whole(large_machine):
    assert usable() == MACHINE


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ({"SLURM_CPUS_PER_TASK": "4", "SLURM_CPUS_ON_NODE": "16"}, 4),
        ({"SLURM_CPUS_ON_NODE": "16"}, 16),  # of a job that asked for tasks
        ({"SLURM_CPUS_PER_TASK": "", "SLURM_CPUS_ON_NODE": "128"}, MACHINE),
    ],
)
def test_a_job_of_slurm_takes_what_it_was_given(large_machine, given, number):
    for name, value in given.items():
        large_machine.setenv(name, value)
    assert usable() == number


@pytest.mark.parametrize(
    ("cores", "nodes", "registered"),
    [
        (available_cpu_count(), None, [("_cores", 0)]),
        (available_cpu_count() + 1, None, []),  # by a person's own --cores
        (available_cpu_count(), 64, []),  # of a cluster
    ],
)
def test_all_cores_of_a_study_are_those_that_it_may_use(monkeypatch, capsys, cores, nodes, registered):
    monkeypatch.setattr("mimic.workflow.usable", lambda: 0)
    asked = []
    workflow = SimpleNamespace(
        global_resources={"_cores": SimpleNamespace(value=cores)},
        nodes=nodes,
        register_resource=lambda *resource: asked.append(resource),
    )
    fit_cores(workflow)
    assert asked == registered
    assert (f"0 of this machine's {cores} cores" in capsys.readouterr().err) == bool(registered)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process to processors")
def test_a_step_by_hand_takes_no_more_than_it_is_bound_to(tmp_path):
    shutil.copy(Path(__file__).parents[1] / "contract/small.yaml", tmp_path / "params.yaml")
    subprocess.run(
        [sys.executable, "-m", "mimic", "data"],
        cwd=tmp_path,
        preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
        check=True,
    )
    record = json.loads((tmp_path / "results/small/data/job.json").read_bytes())
    assert record["provenance"]["threads"] == 1
