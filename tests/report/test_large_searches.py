"""A study of the paper's size, all searched: 41 searches of 122 trials, each with a baseline of as many."""

import cProfile
import pstats
from itertools import pairwise
from pathlib import Path

import pytest

from mimic.report.write import write_report

pytestmark = pytest.mark.long
LIMIT = 3_000_000  # bytes
TRIALS = (40, 80, 120)


def test_the_page_stays_small(large_study, tmp_path):
    write_report(large_study.context(tmp_path))
    assert (tmp_path / "report.html").stat().st_size < LIMIT


def calls(study, out: Path) -> int:
    """How many functions a report calls: its cost on any machine."""
    out.mkdir()
    with cProfile.Profile() as profile:
        write_report(study.context(out))
    return pstats.Stats(profile).total_calls


def test_a_trial_more_costs_the_same_in_a_large_search_as_in_a_small_one(
    make_searched, small_study, tmp_path
):
    calls(small_study, tmp_path / "warm")  # what is imported or compiled once
    costs = [calls(make_searched(number), tmp_path / str(number)) for number in TRIALS]
    first, second = (more - less for less, more in pairwise(costs))
    assert 0 < second < 1.1 * first
    sizes = [(tmp_path / str(number) / "report.html").stat().st_size for number in TRIALS]
    first, second = (more - less for less, more in pairwise(sizes))
    assert 0 < second < 1.1 * first
