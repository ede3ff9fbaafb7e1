import pytest

from mimic.report.read import read_results
from mimic.report.tables import table_1, table_1_frame, table_2, table_2_frame, table_3


@pytest.fixture(scope="module")
def small(small_study):
    return read_results(small_study.context())


@pytest.fixture(scope="module")
def large(paper_study):
    return read_results(paper_study.context())


def test_table_2_has_the_layout_of_the_paper(large):
    table = table_2(large.accuracies)
    assert table["budgets"] == ["1M", "3.16M", "10M", "31.6M"]
    assert list(table["rows"]) == ["mlp1", "mlp2", "mlp3", "mlp4", "mlp5", "conv1", "conv2", "conv3", "conv4"]
    assert table["seeds"] == 5
    assert table["rows"]["conv2"][0].published == pytest.approx(0.879)
    assert table["ensemble"].published == pytest.approx(0.938)


def test_what_was_not_run_is_empty_but_keeps_its_published_figure(small):
    table = table_2(small.accuracies)
    absent = table["rows"]["mlp5"][0]
    assert (absent.accuracy, absent.seeds, absent.diverged) == (None, 0, 0)
    assert absent.published == pytest.approx(0.664)


def test_a_diverged_student_is_told_from_one_that_was_not_run(small):
    diverged = table_2(small.accuracies)["rows"]["conv4"][0]
    assert (diverged.accuracy, diverged.diverged) == (None, 1)


def test_table_1_sets_the_gain_between_a_student_and_its_twin(large):
    rows = table_1(large.accuracies)
    assert [(row["family"], row["budget"]) for row in rows] == [(f"conv{n}", "10M") for n in (1, 2, 3, 4)]
    first = rows[0]
    assert first["gain"].accuracy.mean == pytest.approx(
        first["student"].accuracy.mean - first["twin"].accuracy.mean
    )
    assert first["gain"].published == pytest.approx(0.873 - 0.846)


def test_frames_hold_every_cell_once(large, small):
    assert len(table_2_frame(large.accuracies)) == 9 * 4 + 2
    assert list(table_1_frame(small.accuracies).family) == ["conv1", "conv3"]


def test_table_3_averages_the_seeds_that_finished(large):
    row = next(row for row in table_3(large) if row["model"] == "conv3, 10M" and row["arm"] == "logits")
    seeds = large.models[large.models.name.str.startswith("conv3-10M-logits-")]
    assert row["seeds"] == 5
    assert row["nll"] == pytest.approx(seeds.nll.mean())
    assert "accuracy_shift_4" in row


def test_table_3_leaves_out_what_diverged(small):
    assert not any(row["model"].startswith("conv4") for row in table_3(small))
