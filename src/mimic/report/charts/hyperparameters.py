"""Hyperparameters of one search: where its trials lie, and which of them matter."""

import altair as alt
import numpy as np
import pandas as pd

from mimic.report.charts import theme
from mimic.report.numerals import percent
from mimic.report.search_results import SearchResult

ROW = 32  # pixels, of a hyperparameter
NUMBERS = 46  # pixels beside a row, for the bounds of its range
FAINTEST = 10  # percent of the colour that the worst trial keeps
PADDING = {"left": 4, "right": 8, "top": 8, "bottom": 4}


def coordinates(search: SearchResult, names: list[str], label: str) -> dict:
    """A line for each trial through the values of its hyperparameters, `names` from top to bottom.

    Each row is a range of the space, linear or logarithmic as searched; the better a trial, the stronger
    its colour.
    """
    keys = [f"h{index}" for index in range(len(names))]  # names may hold dots, which Vega takes for paths
    trials = alt.Chart(theme.values(_points(search, names, keys)))
    hue = theme.hue(search.model.family)
    place = "(datum.log ? log(datum.value / datum.low) / log(datum.high / datum.low)"
    place += " : (datum.value - datum.low) / (datum.high - datum.low))"
    base = (
        trials.transform_fold(keys, as_=["key", "value"])
        .transform_filter("isValid(datum.value)")
        .transform_lookup("key", from_=_ranges(search, names, keys))
        .transform_calculate(place=f"clamp({place}, 0, 1)")
        .transform_calculate(colour=f"'color-mix(in oklab, {hue} ' + datum.share + '%, {theme.RULE})'")
        .encode(x=_place(), y=_rows(names), color=alt.Color("colour:N", scale=None, legend=None))
    )
    tooltip = [
        alt.Tooltip("title:N", title="title"),
        alt.Tooltip("name:N", title="hyperparameter"),
        alt.Tooltip("value:Q", title="value", format=".4~g"),
        alt.Tooltip("error:Q", title="validation error %", format=".1f"),
    ]
    line = base.mark_line().encode(
        detail="title:N",
        order="row:Q",
        strokeWidth=alt.condition("datum.best", alt.value(2.75), alt.value(1.1)),
    )
    points = base.mark_point(filled=True, size=16, opacity=1).encode(tooltip=tooltip)
    layers = [*_ruler(search, names), line, points]
    description = (
        f"Hyperparameters of the {len(search.trials)} trials of {search.name} on {label}; the best has "
        + ", ".join(f"{name} {search.selection['point'][name]:.3g}" for name in names)
        + "."
    )
    return theme.specification(alt.layer(*layers), description, height=ROW * len(names), padding=PADDING)


def _points(search: SearchResult, names: list[str], keys: list[str]) -> list[dict]:
    """A row for each trial, the worst first, so that the best is drawn on top."""
    trials = search.trials.assign(number=range(1, len(search.trials) + 1))
    trials = trials.sort_values("validation_error", ascending=False, kind="stable")
    shares = np.linspace(FAINTEST, 100, len(trials)).round()
    return [
        {
            "title": f"trial {trial['number']}",
            "error": round(100 * trial["validation_error"], 2),
            "share": int(share),
            "best": trial["trial"] == search.selection["best"],
        }
        | {key: _short(trial[name]) for key, name in zip(keys, names, strict=True)}
        for trial, share in zip(trials.to_dict("records"), shares, strict=True)
    ]


def _short(value: float) -> float | None:
    """Four digits, as proposed; None where the default leaves a hyperparameter open."""
    return None if pd.isna(value) else float(f"{value:.4g}")


def _ranges(search: SearchResult, names: list[str], keys: list[str]) -> alt.LookupData:
    """Name, bounds and place of each hyperparameter, by its key."""
    rows = [
        {"key": key, "name": name, "row": row} | {k: search.space[name][k] for k in ("low", "high", "log")}
        for row, (key, name) in enumerate(zip(keys, names, strict=True))
    ]
    return alt.LookupData(theme.values(rows), key="key", fields=["name", "row", "low", "high", "log"])


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
    base = alt.Chart(theme.values(rows)).encode(y=_rows(names))
    number = {"color": theme.MUTED, "fontSize": 10.5}
    return [
        base.mark_rule(color=theme.RULE).encode(x=_place(), x2="end:Q"),
        base.mark_text(align="right", dx=-7, **number).encode(x=_place(), text="low:N"),
        base.mark_text(align="left", dx=7, **number).encode(x=_place("end"), text="high:N"),
    ]


def importances(search: SearchResult, shares: dict[str, float], label: str) -> dict:
    """A bar for each hyperparameter, in the order of `shares`."""
    rows = [{"name": name, "share": round(100 * share, 1)} for name, share in shares.items()]
    base = alt.Chart(theme.values(rows)).encode(
        x=alt.X("share:Q", axis=None, scale=alt.Scale(domainMin=0)), y=_rows(list(shares))
    )
    layers = [
        base.mark_bar(color=theme.hue(search.model.family), height=9),
        base.mark_text(align="left", dx=5, color=theme.MUTED).encode(text=alt.Text("share:Q", format=".0f")),
    ]
    description = f"Importance of each hyperparameter of the search {search.name} on {label}: " + ", ".join(
        f"{name} {percent(share, 0)}" for name, share in shares.items()
    )
    padding = PADDING | {"right": 34}
    return theme.specification(alt.layer(*layers), description, height=ROW * len(rows), padding=padding)
