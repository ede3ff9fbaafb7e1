import numpy as np
import pytest

from mimic.report.accuracies import Accuracies, Bootstrap, Cell, Model

A, B, C, D = (Model(family, "1M", "logits") for family in ("conv1", "conv2", "mlp1", "mlp2"))


def rows(*texts: str) -> np.ndarray:
    """Rows of 1 (right) and 0 (wrong)."""
    return np.array([[character == "1" for character in text] for text in texts])


def test_a_gain_difference_is_the_difference_of_two_differences():
    cells = {
        A: Cell(rows("1110", "1100")),
        B: Cell(rows("1000", "0000")),
        C: Cell(rows("1111")),
        D: Cell(rows("1110")),
    }
    table = Accuracies(cells, Bootstrap(resamples=100))
    # A over B: 5/8 - 1/8; C over D: 1 - 3/4.
    assert table.gain_difference((A, B), (C, D)).mean == pytest.approx(0.5 - 0.25)


def test_gains_are_matched_by_seed_as_far_as_both_have_seeds():
    cells = {
        A: Cell(rows("1111", "0000")),
        B: Cell(rows("0000")),
        C: Cell(rows("0000")),
        D: Cell(rows("0000")),
    }
    table = Accuracies(cells, Bootstrap(resamples=100))
    assert table.gain_difference((A, B), (C, D)).mean == pytest.approx(1.0)


def test_a_model_of_which_no_seed_finished_has_no_accuracy():
    table = Accuracies({A: Cell(np.zeros((0, 4), bool), diverged=2), B: Cell(rows("1100"))}, Bootstrap(100))
    assert A not in table and table.diverged(A)
    assert list(table.intervals) == [B]
    assert table.models("logits") == [B]


def test_a_seed_that_diverged_does_not_count():
    table = Accuracies({A: Cell(rows("1100"), diverged=1)}, Bootstrap(100))
    assert table.mean(A) == 0.5 and not table.diverged(A)


def test_models_come_by_family_and_then_from_the_smallest_budget():
    order = [("mlp2", "500k"), ("mlp2", "3.16M"), ("mlp2", "10M"), ("conv1", "1M")]
    cells = {Model(f, b, "logits"): Cell(rows("10")) for f, b in reversed(order)}
    assert [m[:2] for m in Accuracies(cells, Bootstrap(100)).models("logits")] == order
