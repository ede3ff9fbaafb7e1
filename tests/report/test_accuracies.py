import numpy as np
import pytest

from mimic.report.accuracies import Accuracies, Cell, Model

A, B, C = (Model(family, "1M", "logits") for family in ("conv1", "conv2", "mlp1"))


def rows(*texts: str) -> np.ndarray:
    """Rows of 1 (right) and 0 (wrong)."""
    return np.array([[character == "1" for character in text] for text in texts])


def test_a_contrast_is_a_weighted_sum_of_accuracies():
    cells = {A: Cell(rows("1110", "1100")), B: Cell(rows("1000", "0000")), C: Cell(rows("1111"))}
    interval = Accuracies(cells).contrast({A: 1, B: -1, C: 0.5})
    assert interval.mean == pytest.approx(5 / 8 - 1 / 8 + 0.5)
    assert interval.seeds == 1  # those of C


def test_a_model_of_which_no_seed_finished_has_no_accuracy():
    table = Accuracies({A: Cell(np.zeros((0, 4), bool), diverged=2), B: Cell(rows("1100"))})
    assert A not in table and table.diverged(A)
    assert list(table.intervals) == [B]
    assert table.models("logits") == [B]


def test_a_seed_that_diverged_does_not_count():
    table = Accuracies({A: Cell(rows("1100"), diverged=1)})
    assert table.mean(A) == 0.5 and not table.diverged(A)


def test_models_come_by_family_and_then_from_the_smallest_budget():
    order = [("mlp2", "500k"), ("mlp2", "3.16M"), ("mlp2", "10M"), ("conv1", "1M")]
    cells = {Model(f, b, "logits"): Cell(rows("10")) for f, b in reversed(order)}
    assert [m[:2] for m in Accuracies(cells).models("logits")] == order
