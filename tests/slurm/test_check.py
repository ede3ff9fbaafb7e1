"""`mimic slurm-check` on a real cluster whose GPUs are fake: all is well but for CUDA."""

import pytest
from cluster_study import lacking


def test_only_cuda_is_missing_and_nothing_where_no_gpu_is_asked_for(folder):
    missing = lacking(folder)
    assert set(missing) == {"cuda"}
    assert "finds no GPU on" in missing["cuda"]
    assert lacking(folder, ("  gpu: 1", "  gpu: 0")) == {}


@pytest.mark.parametrize(
    ("old", "new", "what", "said"),
    [
        ("slurm_partition: gpu", "slurm_partition: long", "partition", "one of gpu, urgent"),
        ("# gpu_model: a100", "gpu_model: a100", "GPU", "but gpu"),
        ("# constraint: a100", "constraint: a100", "request", "Invalid feature specification"),
        ("8000 * min", "8000000 * min", "request", "configuration is not available"),
        ("slurm-status-command: squeue", "slurm-status-command: sacct", "status", "no accounting"),
    ],
)
def test_what_is_wrong_in_the_profile_is_named_before_any_job(folder, old, new, what, said):
    assert said in lacking(folder, (old, new))[what]


def test_an_unreachable_mlflow_and_an_absent_controller(folder, cluster, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert "refused" in lacking(folder, ("8000 * min", "8000000 * min"))["MLflow"]
    cluster.stop_controller()
    assert set(lacking(folder)) == {"controller"}
