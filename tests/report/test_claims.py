import numpy as np
import pytest

from mimic.evaluation.bootstrap import Interval
from mimic.report.accuracies import TEACHER, Accuracies, Bootstrap, Cell, Model
from mimic.report.claims import CLAIMS, Comparison, answer_claims

IMAGES = 4000
MLPS = {"mlp1": 0.65, "mlp2": 0.71, "mlp3": 0.70, "mlp4": 0.68, "mlp5": 0.66}
CONVS = {"conv1": 0.84, "conv2": 0.88, "conv3": 0.91, "conv4": 0.93}


def cell(accuracy: float | None, noise: int = 0) -> Cell:
    """A model right on the easiest images; `noise` seeds a shuffle of which those are."""
    if accuracy is None:
        return Cell(np.zeros((0, IMAGES), bool), diverged=1)
    correct_N = np.arange(IMAGES) < accuracy * IMAGES
    if noise:
        np.random.default_rng(noise).shuffle(correct_N)
    return Cell(correct_N[None], validation_accuracy=accuracy)


def table(
    students: dict[tuple[str, str, str], float | None], teacher: float = 0.93, noise: bool = False
) -> Accuracies:
    cells = {
        Model(*key): cell(accuracy, index + 1 if noise else 0)
        for index, (key, accuracy) in enumerate(students.items())
    }
    return Accuracies(cells | {TEACHER: cell(teacher)}, Bootstrap(resamples=400))


def at(budget: str, accuracies: dict[str, float | None], arm: str = "logits") -> dict:
    return {(family, budget, arm): accuracy for family, accuracy in accuracies.items()}


def status(key: str, *args, **kwargs) -> str:
    answers = {answer.claim.key: answer for answer in answer_claims(table(*args, **kwargs))}
    return answers[key].status


def test_there_are_the_eight_claims_of_the_paper_and_each_has_a_rule():
    assert len(CLAIMS) == 8
    assert all(claim.title and claim.rule for claim in CLAIMS)


@pytest.mark.parametrize(
    "interval, threshold, outcome",
    [
        ((0.01, 0.03), 0.0, "for"),
        ((-0.03, -0.01), 0.0, "against"),
        ((-0.01, 0.03), 0.0, "open"),
        ((0.0, 0.03), 0.0, "open"),
        ((0.03, 0.08), 0.05, "open"),
        ((0.01, 0.04), 0.05, "against"),
        ((-0.009, 0.0), -0.01, "for"),
    ],
)
def test_a_comparison_needs_its_whole_interval_on_one_side(interval, threshold, outcome):
    low, high = interval
    assert Comparison("x", Interval((low + high) / 2, low, high), threshold).outcome == outcome


CASES = {
    "convolutional_gap": {
        "holds": at("1M", MLPS | CONVS),
        "does not hold": at("1M", {"mlp2": 0.80, "conv1": 0.84}),  # a gap, but less than five points
        "not tested": at("1M", MLPS) | at("10M", CONVS),
    },
    "several_layers": {
        "holds": at("1M", CONVS),
        "does not hold": at("1M", CONVS | {"conv3": 0.87}),
        "not tested": at("1M", {"conv1": 0.84, "conv2": 0.88, "conv3": 0.91}),
    },
    "shallower_than_teachers": {
        "holds": at("1M", {"conv4": 0.928}),
        "does not hold": at("1M", {"conv4": 0.90}),
        "not tested": at("1M", MLPS),
    },
    "more_parameters": {
        "holds": at("1M", MLPS) | at("10M", {family: accuracy + 0.02 for family, accuracy in MLPS.items()}),
        "does not hold": at("1M", MLPS) | at("10M", MLPS | {"mlp1": 0.60}),
        "not tested": at("1M", MLPS | CONVS),
    },
    "depth_before_size": {
        "holds": at("10M", {"conv1": 0.86}) | at("1M", {"conv2": 0.88}),
        "does not hold": at("10M", {"conv1": 0.90}) | at("1M", {"conv2": 0.88}),
        "not tested": at("1M", CONVS),  # conv1 must have the larger budget
    },
    "compression_gap": {
        "holds": at("1M", CONVS) | at("1M", {"conv1": 0.80, "conv4": 0.92}, "labels"),
        "does not hold": at("1M", CONVS)
        | at("1M", {"conv1": 0.83, "conv4": 0.90}, "labels"),  # most where deepest
        "not tested": at("1M", CONVS) | at("1M", {"conv1": 0.80}, "labels"),  # one depth only
    },
    "mlp_depth": {
        "holds": at("1M", MLPS),
        "does not hold": at("1M", MLPS | {"mlp5": 0.75}),
        "not tested": at("1M", {"mlp1": 0.65, "mlp2": 0.71}),
    },
    "no_regularisation": {
        "holds": at("1M", CONVS) | at("1M", {"conv2": 0.85}, "regularised"),
        "does not hold": at("1M", CONVS) | at("1M", {"conv2": 0.90}, "regularised"),
        "not tested": at("1M", CONVS),
    },
}


@pytest.mark.parametrize("key, expected", [(key, status) for key in CASES for status in CASES[key]])
def test_each_claim_is_answered_in_each_way(key, expected):
    assert status(key, CASES[key][expected]) == expected


def test_there_is_a_case_for_every_claim():
    assert set(CASES) == {claim.key for claim in CLAIMS}


def test_a_difference_within_its_error_bars_does_not_hold_and_the_answer_says_so():
    students = at("10M", {"conv1": 0.879}) | at("1M", {"conv2": 0.88})
    answer = next(a for a in answer_claims(table(students, noise=True)) if a.claim.key == "depth_before_size")
    assert answer.status == "does not hold"
    assert answer.shortfall == "The difference lies within its error bars."


def test_a_diverged_model_leaves_a_claim_untested_and_is_named():
    students = at("1M", CONVS | {"conv4": None})
    answer = next(a for a in answer_claims(table(students)) if a.claim.key == "several_layers")
    assert answer.status == "not tested"
    assert "conv4 at 1M" in answer.text


def test_what_falls_short_is_counted_and_named():
    students = at("1M", CONVS | {"conv3": 0.87})
    answer = next(a for a in answer_claims(table(students)) if a.claim.key == "several_layers")
    assert answer.shortfall == "1 of 3 comparisons points the other way: conv3 over conv2, 1M (−1.00)."  # noqa: RUF001


def test_the_gap_is_taken_between_the_worst_convolutional_student_and_the_best_mlp_of_each_budget():
    students = at("1M", MLPS | CONVS) | at("10M", {"mlp1": 0.72, "mlp2": 0.70, "conv3": 0.90, "conv4": 0.89})
    answer = next(a for a in answer_claims(table(students)) if a.claim.key == "convolutional_gap")
    assert [c.label for c in answer.comparisons] == ["conv1 over mlp2, 1M", "conv4 over mlp1, 10M"]
    assert answer.comparisons[1].difference.mean == pytest.approx(0.17)


def test_the_published_difference_stands_beside_ours():
    answer = next(a for a in answer_claims(table(at("1M", CONVS))) if a.claim.key == "several_layers")
    assert answer.comparisons[0].published == pytest.approx(0.879 - 0.845)


def test_validation_accuracy_picks_the_student_that_meets_the_teacher():
    cells = {
        Model("conv3", "1M", "logits"): Cell(cell(0.92).correct_SN, validation_accuracy=0.90),
        Model("conv4", "1M", "logits"): Cell(cell(0.91).correct_SN, validation_accuracy=0.91),
        TEACHER: cell(0.91),
    }
    answer = next(
        a
        for a in answer_claims(Accuracies(cells, Bootstrap(400)))
        if a.claim.key == "shallower_than_teachers"
    )
    assert answer.comparisons[0].label.startswith("conv4")


def test_a_table_without_students_tests_nothing():
    assert {answer.status for answer in answer_claims(table({}))} == {"not tested"}
