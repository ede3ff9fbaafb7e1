"""Studies on a real SLURM cluster, both made for one test."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import PROGRAMS, Cluster
from cluster_study import ClusterStudy, make_study


@pytest.fixture(scope="session")
def slurm() -> None:
    """Skip what needs SLURM where it isn't installed."""
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])
    missing = [program for program in PROGRAMS if shutil.which(program, path=path) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)}: not installed; tests/slurm/install.sh does it on Debian")


@pytest.fixture
def cluster(slurm, tmp_path) -> Iterator[Cluster]:
    """Two nodes with two GPUs each."""
    with Cluster(tmp_path / "cluster") as running:
        yield running


@pytest.fixture
def folder(cluster, tmp_path, monkeypatch) -> Path:
    """The working folder, from which the cluster's programs are found."""
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def study(tmp_path, cluster) -> Iterator[ClusterStudy]:
    """The study of study.yaml up to its students, which are struck; it doesn't outlive the test."""
    made = make_study(tmp_path / "study", cluster)
    made.target = "students"
    yield made
    made.kill()


@pytest.fixture(scope="session")
def undisturbed(slurm, tmp_path_factory) -> Iterator[ClusterStudy]:
    """The same study finished on a cluster without faults."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with Cluster(folder / "cluster") as cluster:
        finished = make_study(folder / "study", cluster)
        finished.start()
        finished.finish()
        finished.jobs = cluster.run(
            "squeue", "--noheader", "--states=all", "--format=%T %k"
        ).stdout.splitlines()
        yield finished
