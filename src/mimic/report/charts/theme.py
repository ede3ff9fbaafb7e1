"""What all charts share: colours, type, and the parameters that the page's controls set.

Colours are CSS variables of the page, so that light, dark and print need no second drawing.
"""

from collections.abc import Iterable, Mapping, Sequence

import altair as alt
import numpy as np
from scipy.optimize import isotonic_regression

from mimic.nets.families import STUDENTS

INK, MUTED, RULE, PAPER = "var(--ink)", "var(--muted)", "var(--rule)", "var(--paper)"
FONT = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
TEACHERS = {"ensemble": INK, "teacher": MUTED}

ISOLATED = "isolated"  # the parameter of charts that is the one family that the reader has picked, or nothing
PUBLISHED = "published"  # that which is whether the paper's figures show


COLOURS = {family: f"var(--{family})" for family in STUDENTS} | TEACHERS


def chart(rows: Iterable[dict], **encodings) -> alt.Chart:
    """A layer of marks: a row each."""
    values = tuple(rows)  # a list Altair would copy with each copy of a chart
    return alt.Chart(alt.InlineData(values=values)).encode(**encodings)


def hue(family: str) -> str:
    """The colour of a chart of one family alone. Teachers are in ink: grey is for what stands back."""
    return INK if family == "teacher" else COLOURS[family]


def colour(**options) -> alt.Color:
    """One colour a family."""
    scale = alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))
    return alt.Color("family:N", scale=scale, **options)


def spotlight(shown: float = 1.0) -> alt.OpacityValue:
    """Families other than the picked one fade."""
    return opacity(f"{ISOLATED} === '' || {ISOLATED} === datum.family", shown, 0.12 * shown)


def opacity(test: str, where_true: float, where_false: float) -> alt.OpacityValue:
    """By an expression."""
    return alt.OpacityValue(where_false, condition={"test": test, "value": where_true})


def tooltip(**fields: str) -> list[alt.Tooltip]:
    """A line for each field, with its title; `title` stands above. Numbers are text, rounded as elsewhere."""
    return [alt.Tooltip(f"{field}:N", title=title) for field, title in fields.items()]


def percent_axis(title: str | None, **options) -> alt.Axis:
    """An axis of percentages; fractions stay in the tables."""
    return alt.Axis(title=title, labelExpr="datum.label + '%'", **options)


def spread(positions: list[float], gap: float) -> list[float]:
    """`positions` moved as little as keeps any two at least `gap` apart, for labels beside lines."""
    order, steps = np.argsort(positions, kind="stable"), gap * np.arange(len(positions))
    moved = np.empty(len(positions))
    moved[order] = isotonic_regression(np.asarray(positions)[order] - steps).x + steps
    return moved.tolist()


CONFIG = {  # of every chart of the page, which holds it once
    "background": "transparent",
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelFont": FONT, "labelFontSize": 11, "labelColor": MUTED, "labelPadding": 4,
        "titleFont": FONT, "titleFontSize": 11.5, "titleColor": MUTED, "titleFontWeight": "normal",
        "gridColor": RULE, "domainColor": MUTED, "tickColor": MUTED, "tickSize": 4,
    },
    "axisX": {"grid": False, "titlePadding": 8},
    "axisY": {
        "domain": False, "ticks": False,
        "titleAnchor": "end", "titleAlign": "left", "titleAngle": 0, "titleX": 0, "titleY": -12,
    },
    "text": {"font": FONT, "fontSize": 11.5},
    "legend": {
        "orient": "bottom", "columns": 5, "symbolType": "circle", "symbolOpacity": 1, "offset": 8,
        "labelFont": FONT, "labelFontSize": 11.5, "labelColor": INK, "titleLimit": 0,
        "titleFont": FONT, "titleFontSize": 11.5, "titleColor": MUTED, "titleFontWeight": "normal",
    },
    "autosize": {"type": "fit-x", "contains": "padding"},
}  # fmt: skip


def specification(
    layers: Sequence[alt.Chart],
    description: str,
    height: int,
    table: Sequence[dict],
    parameters: Mapping[str, object] | None = None,
    columns: Mapping[str, str] | None = None,
    key: str = "",
    **padding: int,
) -> dict:
    """The layers as one chart in JSON, as wide as its place on the page; CONFIG goes with it. Pixels.

    `parameters` are what controls of the page set, with their values until then. `table` are the rows that a
    reader can have, where a column may have another name than in the chart. `key` says what marks mean, in
    the legend of a picture that leaves the page.
    """
    datasets: dict[str, Sequence[dict]] = {}
    within = {"datasets": datasets, "top_level": False}
    # One by one and unchecked: alt.layer copies and checks for seconds; a browser's test says what is wrong.
    drawn = [layer.to_dict(validate=False, context=within) for layer in layers]
    families = {row.get("family") for row in table}
    legend = {"title": key or None, "values": [family for family in COLOURS if family in families]}
    for layer in drawn:
        colour = layer["encoding"].get("color", {})
        if colour.get("field") == "family":
            colour.setdefault("legend", legend)
    name = next((name for name, rows in datasets.items() if [*rows] == [*table]), "table")
    return {
        "description": description,
        "width": "container",
        "height": height,
        "padding": {"left": 4, "right": 8, "top": 18, "bottom": 4} | padding,
        "params": [{"name": name, "value": value} for name, value in (parameters or {}).items()],
        "layer": drawn,
        "datasets": datasets | {name: table},
        "usermeta": {"table": name, "columns": columns or {}},
    }
