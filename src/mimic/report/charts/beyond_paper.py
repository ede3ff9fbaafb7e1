"""Charts of what the paper does not show: cost, and how the ensemble grew."""

import altair as alt
import pandas as pd

from mimic.config.parameters import budget_parameters
from mimic.report.charts import theme
from mimic.report.numerals import decimal, plain
from mimic.report.results import Results

FRAME = {"height": 230, "right": 14}  # pixels


def _students(results: Results) -> pd.DataFrame:
    """Means over the seeds of each mimic student that finished; accuracies and agreement in percent."""
    table = results.finished[results.finished.arm == "logits"]
    shares = ["agreement", *results.shifts.values()]
    means = table.groupby(["family", "budget"], sort=False)[["multiply_adds", *shares]].mean().reset_index()
    means["accuracy_text"] = means.accuracy.map(plain)
    means[shares] *= 100
    sizes = [budget_parameters(budget) for budget in means.budget]
    return means.assign(size=sizes, title=means.family + " " + means.budget)


def _accuracy(title: str, ticks: int) -> alt.Y:
    axis = theme.percent_axis(title, tickCount=ticks)
    return alt.Y("accuracy:Q", axis=axis, scale=alt.Scale(zero=False))


def _lines(rows: list[dict], x: alt.X, tooltip: list[alt.Tooltip], order: str, description: str) -> dict:
    """A line with points for each family, in the order of a column."""
    marks = {"color": theme.colour(), "opacity": theme.spotlight()}
    base = theme.chart(rows, x=x, y=_accuracy("test accuracy", 6), **marks)
    line = base.mark_line(strokeWidth=1.25).encode(order=alt.Order(f"{order}:Q"))
    points = base.mark_point(filled=True, size=44, opacity=1).encode(tooltip=tooltip)
    description, parameters = f"{description}; the table has the figures.", {theme.ISOLATED: ""}
    return theme.specification([line, points], description, table=rows, parameters=parameters, **FRAME)


def _over(results: Results, x: alt.X, what: str) -> dict:
    description = f"Test accuracy of the students over {what} on {results.label}"
    columns = ["family", "title", "size", "accuracy", "accuracy_text", x.shorthand.removesuffix(":Q")]
    rows = _students(results)[columns].to_dict("records")
    return _lines(rows, x, theme.tooltip(title="title", accuracy_text="accuracy %"), "size", description)


def accuracy_over_cost(results: Results) -> dict:
    """Accuracy over the multiply-adds of one forward pass."""
    axis = alt.Axis(title="multiply-adds an image (logarithmic)", format="~s", tickCount=4, ticks=False)
    x = alt.X("multiply_adds:Q", scale=alt.Scale(type="log"), axis=axis)
    return _over(results, x, "multiply-adds")


def ensemble_growth(results: Results) -> dict:
    """Validation accuracy of the ensemble after each addition."""
    rows = [
        {"members": n, "added": step["member"], "accuracy": 100 * step["accuracy"], "nll": step["nll"]}
        | {"accuracy_text": plain(step["accuracy"], 2), "nll_text": decimal(step["nll"], 4)}
        for n, step in enumerate(results.ensemble["trace"], start=1)
    ]
    tooltip = theme.tooltip(added="added", accuracy_text="validation accuracy %", nll_text="validation NLL")
    axis = alt.Axis(title="members", values=list(range(1, len(rows) + 1)), format="d")
    across = alt.Scale(domain=[0.7, len(rows) + 0.3], nice=False)
    x, y = alt.X("members:Q", axis=axis, scale=across), _accuracy("validation accuracy", 5)
    base = theme.chart(rows, x=x, y=y)
    layers = [
        base.mark_line(strokeWidth=1.75, color=theme.INK),
        base.mark_point(filled=True, size=50, opacity=1, color=theme.INK).encode(tooltip=tooltip),
    ]
    if len(rows) <= 6:
        layers.append(base.mark_text(dy=-12, color=theme.MUTED).encode(text=alt.Text("added:N")))
    description = f"Validation accuracy of the ensemble on {results.label} as members are added."
    return theme.specification(layers, description, table=rows, **FRAME)
