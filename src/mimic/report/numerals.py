"""Numbers as a reader meets them."""

from mimic.evaluation.intervals import Interval

MINUS = "\N{MINUS SIGN}"
NBSP = "\N{NO-BREAK SPACE}"
DASH = "\N{EN DASH}"  # for what is missing


def _number(value: float | None, form: str, factor: float = 1, unit: str = "") -> str:
    if _missing(value):
        return DASH
    exact = round(factor * value, 9)  # a mean summed up in another order is the same number to a reader
    return f"{exact:{form}}{unit}".replace("-", MINUS)


def _missing(value: float | None) -> bool:
    return value is None or value != value  # NaN


def percent(fraction: float | None, digits: int = 1) -> str:
    """0.879 as 87.9%."""
    return _number(fraction, f".{digits}f", 100, "%")


def plain(fraction: float | None, digits: int = 1) -> str:
    """0.879 as 87.9, for columns that are all in percent."""
    return _number(fraction, f".{digits}f", 100)


def decimal(value: float | None, digits: int = 3) -> str:
    return _number(value, f".{digits}f")


def signed(fraction: float | None, digits: int = 2) -> str:
    """A difference in points, with its sign."""
    return _number(fraction, f"+.{digits}f", 100)


def bounds(interval: Interval, digits: int = 1) -> str:
    """An accuracy's interval, in percent."""
    return f"[{plain(interval.low, digits)},{NBSP}{plain(interval.high, digits)}]"


def signed_bounds(interval: Interval, digits: int = 2) -> str:
    """A difference's interval, in points."""
    return f"[{signed(interval.low, digits)},{NBSP}{signed(interval.high, digits)}]"


def thousands(number: float) -> str:
    return f"{round(number):,}"


def quantity(number: float | None) -> str:
    """5339350 as 5.34M."""
    return _scaled(number, {1e9: "G", 1e6: "M", 1e3: "k", 1: ""})


def flop(number: float | None) -> str:
    """Floating-point operations with their unit, such as 1.2 PFLOP."""
    return _scaled(number, {1e18: " EFLOP", 1e15: " PFLOP", 1e12: " TFLOP", 1e9: " GFLOP", 1e6: " MFLOP"})


def _scaled(number: float | None, units: dict[float, str]) -> str:
    """In the largest unit that it fills, else in the last."""
    if _missing(number):
        return DASH
    size = next((size for size in units if number >= size), min(units))
    return f"{number / size:.3g}{units[size]}"


def duration(seconds: float | None) -> str:
    """3725 as 1 h 2 min."""
    if _missing(seconds):
        return DASH
    if seconds < 60:
        return f"{seconds:.3g} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours:,} h {minutes} min" if minutes and hours < 100 else f"{hours:,} h"


def plural(number: int, noun: str, several: str | None = None) -> str:
    """`3 teachers`, `1 seed`; `several` is for nouns that don't end in a plain s."""
    return f"{thousands(number)} {noun if number == 1 else several or noun + 's'}"


def listing(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
