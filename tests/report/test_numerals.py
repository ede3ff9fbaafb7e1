import pytest

from mimic.evaluation.intervals import Interval
from mimic.report import numerals


@pytest.mark.parametrize(
    "seconds, text",
    [(0.4, "0.4 s"), (59, "59 s"), (60, "1 min"), (3599, "1 h"), (3725, "1 h 2 min"), (400_000, "111 h")],
)
def test_durations(seconds, text):
    assert numerals.duration(seconds) == text


def test_signs_are_typographic_and_always_there():
    assert numerals.signed(0.0123) == "+1.23"
    assert numerals.signed(-0.0123, 1) == "\N{MINUS SIGN}1.2"
    assert numerals.signed_bounds(Interval(0, -0.01, 0.02), 1) == "[\N{MINUS SIGN}1.0,\N{NO-BREAK SPACE}+2.0]"


def test_a_negative_share_has_a_minus_and_not_a_hyphen():
    assert numerals.percent(-0.123) == "\N{MINUS SIGN}12.3%"


def test_what_is_missing_is_a_dash():
    for write in (numerals.percent, numerals.plain, numerals.decimal, numerals.signed, numerals.duration):
        assert write(None) == write(float("nan")) == numerals.DASH


def test_quantities():
    assert [numerals.quantity(n) for n in (5_339_350, 999, 83_400_000)] == ["5.34M", "999", "83.4M"]
    assert numerals.flop(2.5e15) == "2.5 PFLOP"


def test_listings():
    assert [numerals.listing(list(words)) for words in ("a", "ab", "abc")] == ["a", "a and b", "a, b and c"]


def test_one_mean_is_rounded_one_way_however_it_was_summed_up():
    mean = 0.6615
    assert f"{100 * mean:.1f}" != f"{66.15:.1f}"  # the same to a reader
    assert numerals.plain(mean) == numerals.plain(mean + 1e-15) == "66.2"
