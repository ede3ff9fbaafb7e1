"""Charts of what the paper does not show: cost, agreement, translation, and how the ensemble grew."""

import altair as alt
import pandas as pd

from mimic.core.types import budget_parameters
from mimic.report.charts import theme
from mimic.report.results import Results

HEIGHT = 230
PADDING = {"left": 4, "right": 14, "top": 18, "bottom": 4}
ORDER = ["family", "budget"]


def _students(results: Results) -> pd.DataFrame:
    """Means over the seeds of each mimic student that finished."""
    table = results.finished
    table = table[table.arm == "logits"]
    numbers = ["multiply_adds", "agreement", *results.shifts.values()]
    means = table.groupby(ORDER, sort=False)[numbers].mean().reset_index()
    return means.assign(size=[budget_parameters(budget) for budget in means.budget])


def _isolated() -> alt.Parameter:
    return alt.param(name=theme.ISOLATED, value="")


def _accuracy(field: str = "accuracy") -> alt.Y:
    return alt.Y(
        f"{field}:Q", axis=theme.percent_axis("test accuracy", tickCount=6), scale=alt.Scale(zero=False)
    )


def _scatter(results: Results, x: alt.X, rows: pd.DataFrame, what: str) -> dict:
    tooltip = [
        alt.Tooltip("title:N", title="title"),
        alt.Tooltip("accuracy:Q", title="accuracy %", format=".1f"),
    ]
    records = rows.assign(title=rows.family + " " + rows.budget, accuracy=100 * rows.accuracy).to_dict(
        "records"
    )
    base = alt.Chart(theme.values(records)).encode(
        x=x, y=_accuracy(), color=theme.colour(), opacity=theme.spotlight()
    )
    line = base.mark_line(strokeWidth=1.25).encode(order="size:Q")
    points = base.mark_point(filled=True, size=44, opacity=1).encode(tooltip=tooltip)
    chart = alt.layer(line, points).add_params(_isolated())
    description = f"Test accuracy of the students over {what} on {results.label}; the table has the figures."
    return theme.specification(chart, description, height=HEIGHT, padding=PADDING)


def accuracy_over_cost(results: Results) -> dict:
    """Accuracy over the multiply-adds of one forward pass."""
    axis = alt.Axis(title="multiply-adds an image (logarithmic)", format="~s", tickCount=4, ticks=False)
    x = alt.X("multiply_adds:Q", scale=alt.Scale(type="log"), axis=axis)
    rows = _students(results)[[*ORDER, "size", "accuracy", "multiply_adds"]]
    return _scatter(results, x, rows, "multiply-adds")


def accuracy_over_agreement(results: Results) -> dict:
    """Accuracy over the share of test images on which a student says what the ensemble says."""
    axis = theme.percent_axis("agreement with the ensemble", tickCount=5)
    x = alt.X("agreement:Q", scale=alt.Scale(zero=False), axis=axis)
    rows = _students(results)[[*ORDER, "size", "accuracy", "agreement"]]
    return _scatter(results, x, rows.assign(agreement=100 * rows.agreement), "agreement with the ensemble")


def accuracy_under_translation(results: Results) -> dict | None:
    """Accuracy when the test images are moved, at the largest budget; None when nothing was moved."""
    if len(results.shifts) < 2:
        return None
    students = _students(results)
    students = students[students["size"] == students["size"].max()]
    ensemble = results.models.loc[["ensemble"]].assign(family="ensemble")
    rows = [
        {"family": row["family"], "pixels": pixels, "accuracy": 100 * row[column]}
        for row in [*students.to_dict("records"), *ensemble.to_dict("records")]
        for pixels, column in results.shifts.items()
        if not pd.isna(row[column])
    ]
    x = alt.X("pixels:Q", axis=alt.Axis(title="moved by (pixels)", values=list(results.shifts), format="d"))
    base = alt.Chart(theme.values(rows)).encode(
        x=x, y=_accuracy(), color=theme.colour(), opacity=theme.spotlight()
    )
    tooltip = [
        alt.Tooltip("family:N", title="title"),
        alt.Tooltip("pixels:Q", title="moved by"),
        alt.Tooltip("accuracy:Q", title="accuracy %", format=".1f"),
    ]
    points = base.mark_point(filled=True, size=34, opacity=1).encode(tooltip=tooltip)
    chart = alt.layer(base.mark_line(strokeWidth=1.5), points).add_params(_isolated())
    description = f"Test accuracy when images of {results.label} are translated; the table has the figures."
    return theme.specification(chart, description, height=HEIGHT, padding=PADDING)


def translation_budget(results: Results) -> str:
    """The budget that the chart of translations shows."""
    return max(_students(results).budget, key=budget_parameters)


def ensemble_growth(results: Results) -> dict:
    """Validation accuracy of the ensemble after each addition."""
    steps = zip(results.ensemble["members"], results.ensemble["trace"], strict=True)
    rows = [
        {"members": count, "added": name, "accuracy": 100 * score["accuracy"], "nll": score["nll"]}
        for count, (name, score) in enumerate(steps, start=1)
    ]
    tooltip = [
        alt.Tooltip("added:N", title="added"),
        alt.Tooltip("accuracy:Q", title="validation accuracy %", format=".2f"),
        alt.Tooltip("nll:Q", title="validation NLL", format=".4f"),
    ]
    axis = alt.Axis(title="members", values=list(range(1, len(rows) + 1)), format="d")
    base = alt.Chart(theme.values(rows)).encode(
        x=alt.X("members:Q", axis=axis, scale=alt.Scale(domain=[0.7, len(rows) + 0.3], nice=False)),
        y=alt.Y(
            "accuracy:Q",
            axis=theme.percent_axis("validation accuracy", tickCount=5),
            scale=alt.Scale(zero=False),
        ),
    )
    layers = [
        base.mark_line(strokeWidth=1.75, color=theme.INK),
        base.mark_point(filled=True, size=50, opacity=1, color=theme.INK).encode(tooltip=tooltip),
    ]
    if len(rows) <= 6:
        text = base.mark_text(dy=-12, color=theme.MUTED).encode(text="added:N")
        layers.append(text)
    description = f"Validation accuracy of the ensemble on {results.label} as members are added."
    return theme.specification(alt.layer(*layers), description, height=HEIGHT, padding=PADDING)
