import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimic.report.misattributed_claims import mean_interval
from mimic.report.search_results import SearchComparison, SearchResult, compare_searches


def search(errors, name="conv2-1M-logits", algorithm="gp", flops=None) -> SearchResult:
    trials = pd.DataFrame({"validation_error": errors, "training_flops": flops or [1.0] * len(errors)})
    return SearchResult(name, {"algorithm": algorithm}, trials)


def comparison(errors, others, **options) -> SearchComparison:
    return SearchComparison(search(errors, **options), search(others, "conv2-1M-logits-random", "random"))


def test_the_gain_is_that_after_as_many_trials():
    # After three trials: 0.22 against 0.25; what the search found later does not count.
    assert comparison([0.3, 0.22, 0.4, 0.1], [0.25, 0.26, 0.27]).gain == pytest.approx(0.03)


def test_the_cost_by_hand_where_the_search_is_better():
    # Both reached 0.25: the search after two trials and 2 FLOPs, the baseline after four and 4.
    found = comparison([0.4, 0.24, 0.2, 0.3], [0.5, 0.4, 0.3, 0.25])
    assert found.trials_needed == (2, 4)
    assert found.cost == pytest.approx(2 / 4)


def test_the_cost_by_hand_where_the_search_is_worse():
    # Both reached 0.3: the search in its third trial, the baseline in its first. Its trials cost double.
    found = comparison([0.4, 0.35, 0.3], [0.25, 0.5, 0.5], flops=[2.0] * 3)
    assert found.trials_needed == (3, 1)
    assert found.cost == pytest.approx(6 / 1)


errors = st.lists(st.floats(0.01, 0.99), min_size=1, max_size=30)


@given(errors, errors)
def test_who_is_compared_with_whom_plays_no_part(mine, others):
    assert comparison(mine, others).cost * comparison(others, mine).cost == pytest.approx(1)


def test_a_search_no_better_than_its_baseline_saves_nothing_on_average():
    random = np.random.default_rng(1)
    costs = [comparison(random.random(20), random.random(20)).cost for _ in range(2000)]
    logarithms = np.log(costs)
    assert abs(logarithms.mean()) < 3 * logarithms.std() / np.sqrt(len(costs))


def test_searches_meet_their_own_baseline():
    names = ["teachers", "conv2-1M-logits", "conv2-1M-labels"]
    searches = [search([0.1], name) for name in names]
    baselines = [search([0.2], f"{name}-random", "random") for name in names[:0:-1]]
    found = compare_searches([*baselines, *searches])
    assert [(r.search.name, r.baseline.name) for r in found] == [
        (name, f"{name}-random") for name in names[1:]
    ]


def test_an_interval_over_searches_by_hand():
    # Mean 2, standard deviation 1, three values: t(0.975, 2) = 4.3027.
    interval = mean_interval([1.0, 2.0, 3.0], 0.95)
    half = 4.3027 / np.sqrt(3)
    assert [interval.mean, interval.low, interval.high] == pytest.approx([2, 2 - half, 2 + half], abs=1e-3)


def test_one_search_has_no_interval():
    assert mean_interval([0.3], 0.95) is None
