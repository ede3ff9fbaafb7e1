"""Progress of one search: the lowest validation error so far over its trials."""

import altair as alt
import numpy as np

from mimic.report.charts import theme
from mimic.report.numerals import percent
from mimic.report.search_results import HOPELESS, SearchComparison, SearchResult

HEIGHT = 250  # pixels
LABEL_HEIGHT = 14  # pixels between labels that stand beside each other


def progress(search: SearchResult, comparison: SearchComparison | None, label: str) -> dict:
    """The lowest validation error so far over the trials, also of the baseline, and the trials."""
    lines = [(search, theme.hue(search.model.family), [1, 0])]
    if comparison:
        lines.insert(0, (comparison.baseline, theme.MUTED, [5, 3]))
    bounds = _bounds([line for line, _, _ in lines])
    across = alt.Scale(domain=[0.5, max(len(line.trials) for line, _, _ in lines) + 0.5], nice=False)
    x = alt.X("number:Q", axis=alt.Axis(title="trial", tickMinStep=1, format="d"), scale=across)
    axis = theme.percent_axis("validation error", tickCount=6)
    y = alt.Y("error:Q", axis=axis, scale=alt.Scale(domain=bounds))
    rounds = np.flatnonzero(np.diff(search.trials["round"])) + 1.5
    between = theme.chart([{"number": number} for number in rounds.tolist()], x=x)
    trials = _trials(search, bounds)
    layers, ends = [between.mark_rule(color=theme.RULE), *_marks(search, trials, x, y)], []
    for line, colour, dash in lines:
        rows = [{"number": n, "error": _percent(e)} for n, e in enumerate(line.best_so_far, start=1)]
        mark = {"strokeWidth": 2, "strokeDash": dash, "color": colour, "clip": True}
        layers.append(theme.chart(rows, x=x, y=y).mark_line(interpolate="step-after", **mark))
        ends.append((line.algorithm, line.best_so_far[-1], colour))
    if search.default.status != "diverged":
        ends.append(("default", search.default.validation_error, theme.MUTED))
        default = theme.chart([{"error": _percent(search.default.validation_error)}], y=y)
        layers.append(default.mark_rule(color=theme.MUTED, strokeDash=[2, 3]))
    layers.append(_end_labels(ends, bounds, y))
    description = (
        f"Lowest validation error of the search {search.name} on {label} over its {len(search.trials)} "
        f"trials, down to {percent(search.best.validation_error)}."
    )
    return theme.specification(layers, description, HEIGHT, trials)


def _percent(error: float) -> float:
    return round(100 * float(error), 2)


def _bounds(searches: list[SearchResult]) -> list[float]:
    """The axis of the error in percent: from the lowest to most of those that finished, the first included.

    What is worse lies at its edge.
    """
    finished = [s.trials.validation_error[s.trials.status == "finished"] for s in searches]
    low = 100 * min(errors.min() for errors in finished)
    high = 100 * max(max(errors.iloc[0], errors.quantile(0.75)) for errors in finished)
    air = max(0.5, 0.08 * (high - low))
    return [round(low - air, 1), round(high + air, 1)]


def _trials(search: SearchResult, bounds: list[float]) -> list[dict]:
    """A row for each trial; those that are worse than the axis shows lie at its edge."""
    rows = []
    for number, trial in enumerate(search.trials.itertuples(), start=1):
        end = "stopped early" if trial.stop == HOPELESS else trial.status
        shown = {"finished": percent(trial.validation_error), "diverged": "diverged"}
        error = min(_percent(trial.validation_error), bounds[1])
        told = shown.get(end, f"{shown['finished']}, {end}")
        rows.append({"number": number, "error": error, "end": end, "shown": told})
    return rows


def _marks(search: SearchResult, trials: list[dict], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """A mark for each trial, by how it ended."""
    tooltip = theme.tooltip(number="trial", shown="validation error")
    base = theme.chart(trials, x=x, y=y, tooltip=tooltip)
    ends = ("finished", "stopped early", "diverged")
    finished, stopped, diverged = (base.transform_filter(f"datum.end === '{end}'") for end in ends)
    hue = theme.hue(search.model.family)
    return [
        finished.mark_point(filled=True, size=30, opacity=0.75, color=hue),
        stopped.mark_point(filled=False, size=30, opacity=1, strokeWidth=1.2, color=hue),
        diverged.mark_text(text="\N{MULTIPLICATION SIGN}", fontSize=16, color=theme.MUTED),
    ]


def _end_labels(ends: list[tuple[str, float, str]], bounds: list[float], y: alt.Y) -> alt.Chart:
    """Name and error of each line in its colour, on its right, moved apart where lines end close together."""
    gap = LABEL_HEIGHT * (bounds[1] - bounds[0]) / HEIGHT
    places = theme.spread([100 * float(error) for _, error, _ in ends], gap)
    rows = [
        {"error": place, "label": f"{name} {percent(error)}", "colour": colour}
        for (name, error, colour), place in zip(ends, places, strict=True)
    ]
    colour = alt.Color("colour:N", scale=None, legend=None)
    labels = theme.chart(rows, x=alt.XValue("width"), y=y, text=alt.Text("label:N"), color=colour)
    return labels.mark_text(align="left", dx=6, fontWeight=600)
