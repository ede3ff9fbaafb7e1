import numpy as np
import pandas as pd
import pytest

from mimic.report.accuracies import Accuracies, Cell, Model
from mimic.report.misattributed_claims import misattributed_claims
from mimic.report.search_results import SearchComparison, SearchResult

CONVS, MLPS, BETTER, LESS = range(4)  # the statements, in their order
IMAGES = 100_000


def table(gains: dict[str, float]) -> Accuracies:
    """Families with their gain in points from 1M to 10M."""
    cells = {}
    for family, gain in gains.items():
        for budget, accuracy in (("1M", 0.5), ("10M", 0.5 + gain / 100)):
            correct_N = np.arange(IMAGES) < accuracy * IMAGES
            cells[Model(family, budget, "logits")] = Cell(correct_N[None])
    return Accuracies(cells)


def comparison(family: str, errors, others, algorithm: str = "gp", other: str = "random") -> SearchComparison:
    def search(name, algorithm, errors):
        trials = pd.DataFrame({"validation_error": errors, "training_flops": 1.0})
        return SearchResult(
            name, {"algorithm": algorithm, "family": family, "budget": "1M", "arm": "logits"}, trials
        )

    name = f"{family}-1M-logits"
    return SearchComparison(search(name, algorithm, errors), search(f"{name}-{other}", other, others))


def ahead(family: str, trials: int, of: int = 20) -> SearchComparison:
    """The search reaches at trial `trials` what the baseline reaches at `of`, and ends 2 points better."""
    errors = [0.5] * (trials - 1) + [0.3] * (of - trials) + [0.28]
    return comparison(family, errors, [0.5] * (of - 1) + [0.3])


def answers(gains=None, searches=()):
    return misattributed_claims(table(gains or {"conv1": 1.0}), searches)


@pytest.mark.parametrize(
    "gains, status",
    [
        ({"conv1": 1.0, "conv2": 1.5, "conv3": 2.0}, "supported"),
        ({"conv1": 1.5, "conv2": 2.0, "conv3": 2.5}, "undecided"),  # at the margin, within its error bars
        ({"conv1": 3.0, "conv2": 3.1, "conv3": 2.9}, "contradicted"),  # more than is said
        ({"conv1": 1.5}, "not tested"),
    ],
)
def test_capacity_is_judged_by_the_mean_over_families(gains, status):
    assert answers(gains)[CONVS].status == status
    assert answers(gains)[MLPS].status == "not tested"


def test_without_a_baseline_nothing_is_said_of_bayesian_optimisation():
    found = answers()
    assert found[BETTER].status == found[LESS].status == "not tested"
    assert "random baseline" in found[BETTER].ours


def test_one_search_is_no_test_but_its_figures_are_told():
    found = answers(searches=[ahead("conv2", 5)])
    assert found[BETTER].status == found[LESS].status == "not tested"
    assert "one search, no interval: conv2-1M-logits, 20 trials, +2.00 points" in found[BETTER].ours
    assert "saves 75% of the training FLOPs" in found[LESS].ours
    assert "at trials 5 and 20" in found[LESS].ours


def test_several_searches_bear_out_better_nets_or_do_not():
    found = answers(searches=[ahead("conv1", 5), ahead("conv2", 6), ahead("mlp2", 7)])
    assert found[BETTER].status == "supported"
    assert "mean of 3 searches" in found[BETTER].ours
    draws = [ahead("conv1", 5), comparison("conv2", [0.4] * 20, [0.3] * 20)]
    assert answers(searches=draws)[BETTER].status == "undecided"


@pytest.mark.parametrize(
    "trials, status",
    [
        ((13, 13, 13), "supported"),  # of 20: 35% less
        ((12, 13, 14), "undecided"),  # the same in the mean
        ((4, 5, 4), "contradicted"),  # far more than is said
        ((2, 20, 20), "undecided"),  # within its error bars
    ],
)
def test_the_saving_in_training_must_be_the_figure(trials, status):
    searches = [ahead(f"conv{n}", trial) for n, trial in enumerate(trials, start=1)]
    assert answers(searches=searches)[LESS].status == status


def test_only_convolutional_nets_count_for_the_saving():
    found = answers(searches=[ahead("conv2", 13), ahead("mlp1", 13), ahead("mlp2", 12)])
    assert found[LESS].status == "not tested"
    assert "one search" in found[LESS].ours


def test_only_bayesian_search_against_random_search_counts():
    others = [
        comparison("conv2", [0.3], [0.4], other="tpe"),
        comparison("conv3", [0.3], [0.4], algorithm="cmaes"),
    ]
    assert "needs searches" in answers(searches=others)[BETTER].ours
