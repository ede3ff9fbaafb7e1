"""What all charts share: colours, type, and the parameters that the page's controls set.

Colours are CSS variables of the page, so that light, dark and print need no second drawing. Blue is
convolution, orange is none; within a class a deeper net stands out more. The two hues stay apart under
every common colour-vision deficiency.
"""

from collections.abc import Iterable

import altair as alt

from mimic.core.types import FAMILIES

INK, MUTED, RULE, PAPER = "var(--ink)", "var(--muted)", "var(--rule)", "var(--paper)"
FONT = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
COLOURS = {family: f"var(--{family})" for family in FAMILIES} | {"ensemble": INK, "teacher": MUTED}

ISOLATED = "isolated"  # the one family that the reader has picked, or nothing
PUBLISHED = "published"  # whether the paper's figures show


def values(rows: Iterable[dict]) -> alt.InlineData:
    """Rows as chart data."""
    return alt.InlineData(values=list(rows))


def hue(family: str) -> str:
    """The colour of a chart of one family alone. Teachers are in ink: grey is for what stands back."""
    return INK if family == "teacher" else COLOURS[family]


def colour() -> alt.Color:
    """One colour a family, without Vega's legend: the page has its own."""
    scale = alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))
    return alt.Color("family:N", scale=scale, legend=None)


def spotlight(shown: float = 1.0) -> dict:
    """Families other than the picked one fade."""
    test = f"{ISOLATED} === '' || {ISOLATED} === datum.family"
    return alt.condition(test, alt.value(shown), alt.value(0.12 * shown))


def percent_axis(title: str | None, **options) -> alt.Axis:
    """An axis of percentages; fractions stay in the tables."""
    return alt.Axis(title=title, labelExpr="datum.label + '%'", **options)


def spread(positions: list[float], gap: float) -> list[float]:
    """`positions` moved as little as keeps any two at least `gap` apart, for labels beside lines."""
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    groups: list[list[int]] = []  # neighbours that touch, each group centred on its mean
    for index in order:
        groups.append([index])
        while (
            len(groups) > 1 and _bottom(groups[-1], positions, gap) - _top(groups[-2], positions, gap) < gap
        ):
            groups[-2:] = [groups[-2] + groups[-1]]
    moved = list(positions)
    for group in groups:
        for step, index in enumerate(group):
            moved[index] = _bottom(group, positions, gap) + step * gap
    return moved


def _bottom(group: list[int], positions: list[float], gap: float) -> float:
    return sum(positions[index] for index in group) / len(group) - gap * (len(group) - 1) / 2


def _top(group: list[int], positions: list[float], gap: float) -> float:
    return _bottom(group, positions, gap) + gap * (len(group) - 1)


AXIS = {
    "labelColor": MUTED,
    "titleColor": MUTED,
    "labelFont": FONT,
    "titleFont": FONT,
    "labelFontSize": 11,
    "titleFontSize": 11.5,
    "titleFontWeight": "normal",
    "gridColor": RULE,
    "domainColor": MUTED,
    "tickColor": MUTED,
    "tickSize": 4,
    "labelPadding": 4,
}
AXIS_Y = {
    "domain": False,
    "ticks": False,
    "titleAnchor": "end",
    "titleAngle": 0,
    "titleAlign": "left",
    "titleY": -12,
    "titleX": 0,
}
CONFIG = {  # of every chart of the page, which holds it once
    "background": "transparent",
    "font": FONT,
    "view": {"stroke": None},
    "axis": AXIS,
    "axisX": {"grid": False, "titlePadding": 8},
    "axisY": AXIS_Y,
    "text": {"font": FONT, "fontSize": 11.5},
    "autosize": {"type": "fit-x", "contains": "padding"},
}


def specification(chart: alt.TopLevelMixin, description: str, **options) -> dict:
    """The chart as JSON, as wide as its place on the page; CONFIG goes with it."""
    spec = chart.properties(width="container", description=description, **options).to_dict(validate=True)
    return {key: value for key, value in spec.items() if key not in ("config", "$schema")}
