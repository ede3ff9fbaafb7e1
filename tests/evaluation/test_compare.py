"""Every model in one table, each beside the ensemble."""

import pandas as pd
import pytest
from safetensors.numpy import load_file

from mimic.evaluation import metrics


@pytest.fixture(scope="module")
def table(compared) -> pd.DataFrame:
    return pd.read_csv(compared / "models.csv", dtype={"budget": str}).set_index("name")


def test_every_model_has_a_row_also_one_that_diverged(table):
    kinds = ["ensemble", "teacher", "teacher", "student", "student", "trial", "trial"]
    assert list(table.kind) == kinds
    diverged = table.loc["mlp1-5k-logits-s2"]
    assert diverged.status == "diverged" and diverged[["accuracy", "agreement", "kl"]].isna().all()
    assert table.drop(index="mlp1-5k-logits-s2").kl.notna().all()


def test_agreement_and_divergence_are_with_the_ensemble(table, evaluated):
    reference_NK = load_file(evaluated("ensemble/ensemble") / "predictions.safetensors")["ensemble"]
    student = evaluated("student/mlp1-5k-logits-s1") / "predictions.safetensors"
    student_NK = load_file(student)["mlp1-5k-logits-s1"]
    row = table.loc["mlp1-5k-logits-s1"]
    assert row.agreement == pytest.approx(metrics.agreement(student_NK, reference_NK))
    assert row.kl == pytest.approx(metrics.kl(student_NK, reference_NK))
    assert row.kl > 0


def test_the_ensemble_agrees_with_itself(table):
    assert table.agreement["ensemble"] == 1
    assert table.kl["ensemble"] == pytest.approx(0, abs=1e-9)
