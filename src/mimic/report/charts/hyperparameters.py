"""Hyperparameters of one search: where its trials lie, and which of them matter."""

import altair as alt
import numpy as np

from mimic.report.charts import theme
from mimic.report.numerals import percent, plain
from mimic.report.search_results import SearchResult

ROW = 32  # pixels, of a hyperparameter
NUMBERS = 46  # pixels beside a row, for the bounds of its range
FAINTEST = 10  # percent of the colour that the worst trial keeps


def coordinates(search: SearchResult, names: list[str], label: str) -> dict:
    """A line for each trial through the values of its hyperparameters, `names` from top to bottom.

    Each row is a range of the space, linear or logarithmic as searched; the better a trial, the stronger
    its colour.
    """
    keys = {name: f"h{row}" for row, name in enumerate(names)}  # names may hold dots: paths to Vega
    ranges = [
        {"key": key, "row": row, "name": name, **search.space[name]}
        for row, (name, key) in enumerate(keys.items())
    ]
    fields = ["name", "row", "low", "high", "log"]
    lookup = alt.LookupData(alt.InlineData(values=ranges), key="key", fields=fields)
    place = "(datum.log ? log(datum.value / datum.low) / log(datum.high / datum.low)"
    place += " : (datum.value - datum.low) / (datum.high - datum.low))"
    hue = theme.hue(search.model.family)
    points = _points(search, keys)
    base = (
        theme.chart(points)
        .transform_fold([*keys.values()], as_=["key", "value"])
        .transform_filter("isValid(datum.value)")
        .transform_lookup("key", from_=lookup)
        .transform_calculate(place=f"clamp({place}, 0, 1)")
        .transform_calculate(colour=f"'color-mix(in oklab, {hue} ' + datum.share + '%, {theme.RULE})'")
        .encode(x=_place(), y=_rows(names), color=alt.Color("colour:N", scale=None, legend=None))
    )
    tooltip = [
        *theme.tooltip(title="title", name="hyperparameter", error="validation error %"),
        alt.Tooltip("value:Q", title="value", format=".4~g"),  # as it was proposed
    ]
    thickness = alt.StrokeWidthValue(1.1, condition={"test": "datum.best", "value": 2.75})
    layers = [
        *_ruler(search, names),
        base.mark_line().encode(
            detail=alt.Detail("title:N"), order=alt.Order("row:Q"), strokeWidth=thickness
        ),
        base.mark_point(filled=True, size=16, opacity=1).encode(tooltip=tooltip),
    ]
    best = ", ".join(f"{name} {search.selection['point'][name]:.3g}" for name in names)
    description = f"Hyperparameters of the {len(search.trials)} trials of {search.name} on {label}"
    columns = {key: name for name, key in keys.items()}
    return _specification(layers, f"{description}; the best has {best}.", names, points, columns=columns)


def _points(search: SearchResult, keys: dict[str, str]) -> list[dict]:
    """A row for each trial, the worst first, so that the best is drawn on top; values by their key.

    Four digits, as proposed; None where the default leaves a hyperparameter open.
    """
    trials = search.trials.assign(title=[f"trial {number + 1}" for number in range(len(search.trials))])
    trials = trials.sort_values("validation_error", ascending=False, kind="stable")
    points = trials[[*keys]].map(lambda value: float(f"{value:.4g}")).rename(columns=keys)
    points = points.assign(
        title=trials.title,
        error=trials.validation_error.map(plain),
        share=np.linspace(FAINTEST, 100, len(trials)).round().astype(int),
        best=trials.index == search.selection["best"],
    )
    return points.astype(object).where(points.notna(), None).to_dict("records")


def _rows(names: list[str]) -> alt.Y:
    axis = alt.Axis(title=None, labelColor=theme.INK, labelFontSize=11.5, labelLimit=150, labelPadding=6)
    return alt.Y("name:N", sort=names, axis=axis, scale=alt.Scale(domain=names))


def _place(field: str = "place") -> alt.X:
    """From the lower bound to the upper, with room for both."""
    scale = alt.Scale(domain=[0, 1], range=[NUMBERS, alt.expr(f"width - {NUMBERS}")], nice=False)
    return alt.X(f"{field}:Q", scale=scale, axis=None)


def _ruler(search: SearchResult, names: list[str]) -> list[alt.Chart]:
    """The range of each hyperparameter, with its bounds."""
    rows = [
        {"name": name, "place": 0, "end": 1}
        | {side: f"{search.space[name][side]:.4g}" for side in ("low", "high")}
        for name in names
    ]
    base, number = theme.chart(rows, y=_rows(names)), {"color": theme.MUTED, "fontSize": 10.5}
    return [
        base.mark_rule(color=theme.RULE).encode(x=_place(), x2=alt.X2("end:Q")),
        base.mark_text(align="right", dx=-7, **number).encode(x=_place(), text=alt.Text("low:N")),
        base.mark_text(align="left", dx=7, **number).encode(x=_place("end"), text=alt.Text("high:N")),
    ]


def importances(search: SearchResult, shares: dict[str, float], label: str) -> dict:
    """A bar for each hyperparameter, in the order of `shares`."""
    rows = [
        {"name": name, "share": round(100 * share, 1), "text": plain(share, 0)}
        for name, share in shares.items()
    ]
    x = alt.X("share:Q", axis=None, scale=alt.Scale(domainMin=0))
    base = theme.chart(rows, x=x, y=_rows([*shares]))
    number = base.mark_text(align="left", dx=5, color=theme.MUTED)
    layers = [
        base.mark_bar(color=theme.hue(search.model.family), height=9),
        number.encode(text=alt.Text("text:N")),
    ]
    told = ", ".join(f"{name} {percent(share, 0)}" for name, share in shares.items())
    description = f"Importance of each hyperparameter of the search {search.name} on {label}: {told}"
    return _specification(layers, description, [*shares], rows, right=34)


def _specification(
    layers: list[alt.Chart], description: str, names: list[str], table: list[dict], **options
) -> dict:
    return theme.specification(layers, description, ROW * len(names), table, top=8, **options)
