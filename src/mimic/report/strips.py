"""Where the marks of a row of comparisons lie, as shares of its width."""

from dataclasses import dataclass

from mimic.report.claims import Comparison

MARGIN = 0.04  # of the width, on either side


@dataclass(frozen=True)
class Strip:
    """One comparison, with the places of its marks in percent of the width."""

    comparison: Comparison
    limit: float
    low: float
    mean: float
    high: float
    published: float | None


def strips(comparisons: list[Comparison]) -> list[Strip]:
    """All comparisons of a claim on one scale, which shows zero or the limit."""
    numbers = [0.0]
    for c in comparisons:
        numbers += [c.difference.low, c.difference.high, c.threshold]
        numbers += [c.published] if c.published is not None else []
    low, span = min(numbers), (max(numbers) - min(numbers)) or 1.0

    def place(number: float) -> float:
        return round(100 * (MARGIN + (1 - 2 * MARGIN) * (number - low) / span), 2)

    return [
        Strip(
            comparison=c,
            limit=place(c.threshold),
            low=place(c.difference.low),
            mean=place(c.difference.mean),
            high=place(c.difference.high),
            published=None if c.published is None else place(c.published),
        )
        for c in comparisons
    ]
