"""Numbers as a reader meets them."""

from mimic.evaluation.bootstrap import Interval

MINUS = "\N{MINUS SIGN}"
NBSP = "\N{NO-BREAK SPACE}"
DASH = "\N{EN DASH}"  # for what is missing


def percent(fraction: float | None, digits: int = 1) -> str:
    """0.879 as 87.9%."""
    return DASH if _missing(fraction) else f"{100 * fraction:.{digits}f}%".replace("-", MINUS)


def plain(fraction: float | None, digits: int = 1) -> str:
    """0.879 as 87.9, for columns that are all in percent."""
    return DASH if _missing(fraction) else f"{100 * fraction:.{digits}f}"


def decimal(value: float | None, digits: int = 3) -> str:
    return DASH if _missing(value) else f"{value:.{digits}f}"


def signed(fraction: float | None, digits: int = 2) -> str:
    """A difference in points, with its sign."""
    return DASH if _missing(fraction) else f"{100 * fraction:+.{digits}f}".replace("-", MINUS)


def bounds(interval: Interval | None, digits: int = 1) -> str:
    """An accuracy's interval, in percent."""
    return (
        DASH if interval is None else f"[{plain(interval.low, digits)},{NBSP}{plain(interval.high, digits)}]"
    )


def signed_bounds(interval: Interval, digits: int = 2) -> str:
    """A difference's interval, in points."""
    return f"[{signed(interval.low, digits)},{NBSP}{signed(interval.high, digits)}]"


def thousands(number: float) -> str:
    return f"{round(number):,}"


def quantity(number: float | None) -> str:
    """5339350 as 5.34M."""
    if _missing(number):
        return DASH
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return f"{number:.3g}"


def flop(number: float | None) -> str:
    """Floating-point operations with their unit, such as 1.2 PFLOP."""
    if _missing(number):
        return DASH
    for size, unit in ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G")):
        if number >= size:
            return f"{number / size:.3g} {unit}FLOP"
    return f"{number / 1e6:.3g} MFLOP"


def duration(seconds: float | None) -> str:
    """3725 as 1 h 2 min."""
    if _missing(seconds):
        return DASH
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if minutes and hours < 100 else f"{hours:,} h"


def plural(number: int, noun: str, several: str | None = None) -> str:
    """`3 teachers`, `1 seed`; `several` is for nouns that don't end in a plain s."""
    return f"{thousands(number)} {noun if number == 1 else several or noun + 's'}"


def listing(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _missing(value: float | None) -> bool:
    return value is None or value != value  # NaN
