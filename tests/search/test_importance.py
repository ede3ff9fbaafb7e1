import pytest

from mimic.data.seeds import uniform_rows
from mimic.search.importance import importance

SPACE = {
    "learning_rate": {"low": 0.001, "high": 0.1, "log": True},
    "momentum": {"low": 0.6, "high": 1.0, "log": False},
    "widths.c1": {"low": 20, "high": 120, "log": False},
}


def rows(count):
    """Trials whose error hangs on the learning rate alone, which is to be near 0.01."""
    return [
        {
            "learning_rate": 10 ** (2 * a - 3),
            "momentum": 0.6 + 0.4 * b,
            "widths.c1": round(20 + 100 * c),
            "validation_error": abs(2 * a - 1),
        }
        for a, b, c in uniform_rows(count, 3, 1, "importance")
    ]


@pytest.mark.parametrize("count", [20, 50, 129])
def test_what_the_error_hangs_on_is_the_most_important(count):
    shares = importance(rows(count), SPACE)
    assert next(iter(shares)) == "learning_rate"
    assert shares["learning_rate"] > 0.5
    assert sum(shares.values()) == pytest.approx(1)
    assert set(shares) == set(SPACE)


def test_a_default_outside_the_space_is_left_out():
    outside = {"learning_rate": 1.0, "momentum": 0.9, "widths.c1": 48, "validation_error": 0.0}
    assert importance([outside, *rows(30)], SPACE) == importance(rows(30), SPACE)


def test_too_few_or_equal_trials_say_nothing():
    assert importance(rows(9), SPACE) == {}
    assert importance([row | {"validation_error": 0.9} for row in rows(30)], SPACE) == {}
