"""Where the marks of a row of comparisons lie, as shares of its width."""

from dataclasses import dataclass

from mimic.report.claims import Comparison

MARGIN = 0.04  # of the width, on either side


@dataclass(frozen=True)
class IntervalMarks:
    """One comparison, with the places of its marks in percent of the width."""

    comparison: Comparison
    limit: float
    low: float
    mean: float
    high: float
    published: float | None


def interval_marks(comparisons: list[Comparison]) -> list[IntervalMarks]:
    """All comparisons of a claim on one scale, which shows zero or the limit."""
    rows = [
        (c.threshold, c.difference.low, c.difference.mean, c.difference.high, c.published)
        for c in comparisons
    ]
    numbers = [0.0, *(number for row in rows for number in row if number is not None)]
    low, span = min(numbers), (max(numbers) - min(numbers)) or 1.0

    def place(number: float | None) -> float | None:
        return None if number is None else round(100 * (MARGIN + (1 - 2 * MARGIN) * (number - low) / span), 2)

    return [IntervalMarks(c, *map(place, row)) for c, row in zip(comparisons, rows, strict=True)]
