"""Every model in one table."""

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def table(compared) -> pd.DataFrame:
    return pd.read_csv(compared / "models.csv", dtype={"budget": str}).set_index("name")


def test_every_model_has_a_row_also_one_that_diverged(table):
    kinds = ["ensemble", "teacher", "teacher", "student", "student", "trial", "trial"]
    assert list(table.kind) == kinds
    diverged = table.loc["mlp1-5k-logits-s2"]
    assert diverged.status == "diverged" and diverged[["accuracy", "agreement", "kl"]].isna().all()
    assert table.drop(index="mlp1-5k-logits-s2").kl.notna().all()
