"""Learning curves: error on the validation images, and the training loss, over epochs."""

import altair as alt
import pandas as pd

from mimic.report.charts import theme
from mimic.report.results import Results

POINTS = 3000  # of all curves of a chart together, so that the page stays small
BUDGET = "budget"  # the budget that the reader has picked
PADDING = {"left": 4, "right": 8, "top": 18, "bottom": 4}
COLUMNS = ["kind", "name", "family", "budget", "arm", "seed"]


def curves(results: Results) -> pd.DataFrame:
    """Every epoch of every model that has one: who it is, and the columns of its history."""
    models = results.models[COLUMNS].reset_index(drop=True)
    return models.merge(results.histories, on="name", how="inner")


def student_curves(results: Results, column: str, title: str) -> dict | None:
    """Mean over seeds, with their range, of the students that mimic the ensemble."""
    table = curves(results)
    table = table[(table.arm == "logits") & table.name.isin(results.finished.index)]
    if table.empty:
        return None
    groups = table.groupby(["family", "budget", "epoch"], sort=False)[column]
    rows = _thin(groups.agg(["mean", "min", "max"]).reset_index(), ["family", "budget"])
    base = (
        alt.Chart(theme.values(_records(rows, column)))
        .transform_filter(f"datum.budget === {BUDGET}")
        .encode(x=_epochs(), color=theme.colour())
    )
    tooltip = theme.tooltip(family="title", budget="budget")
    line = base.mark_line(strokeWidth=1.75)
    layers = [line.encode(y=_y(column, title), opacity=theme.spotlight(), tooltip=tooltip)]
    if results.parameters.students.seeds > 1:
        area = base.mark_area().encode(y=_y(column, title, "min"), y2="max:Q", opacity=theme.spotlight(0.16))
        layers.insert(0, area)
    budget = alt.param(name=BUDGET, value=results.accuracies.budgets()[0])
    chart = alt.layer(*layers).add_params(theme.isolated(), budget)
    description = f"{title} of the students over epochs on {results.label}. curves.csv has every value."
    return theme.specification(chart, description, height=260, padding=PADDING)


def teacher_curves(results: Results, column: str, title: str) -> dict:
    """One line a teacher; members of the ensemble stand out."""
    table = curves(results)
    table = table[table.kind == "teacher"]
    rows = table[["name", "epoch", column]].rename(columns={column: "mean"})
    members = set(results.ensemble["members"])
    records = [
        row | {"family": "ensemble" if row["name"] in members else "teacher"}
        for row in _records(_thin(rows, ["name"]), column)
    ]
    line = alt.Chart(theme.values(records)).mark_line(strokeWidth=1.25, opacity=0.8)
    marks = {"color": theme.colour(), "detail": "name:N", "tooltip": alt.Tooltip("name:N", title="title")}
    line = line.encode(x=_epochs(), y=_y(column, title), **marks)
    description = f"{title} of the teachers over epochs on {results.label}. curves.csv has every value."
    return theme.specification(line, description, height=260, padding=PADDING)


def _epochs() -> alt.X:
    return alt.X("epoch:Q", axis=alt.Axis(title="epoch", tickMinStep=1), scale=alt.Scale(nice=False))


def _y(column: str, title: str, field: str = "mean") -> alt.Y:
    axis = theme.percent_axis(title, tickCount=6) if _is_error(column) else alt.Axis(title=title, tickCount=6)
    return alt.Y(f"{field}:Q", axis=axis, scale=alt.Scale(zero=False))


def _is_error(column: str) -> bool:
    return column == "validation_error"


def _thin(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Every n-th epoch and the last of each curve, so that all curves together stay within POINTS."""
    step = -(-len(rows) // POINTS)
    last = rows.groupby(by)["epoch"].transform("max")
    return rows[(rows.epoch % step == 1 % step) | (rows.epoch == last)]


def _records(rows: pd.DataFrame, column: str) -> list[dict]:
    """Rows for the page: errors in percent, four digits."""
    scale = 100 if _is_error(column) else 1
    rows = rows.dropna().assign(**{c: rows[c] * scale for c in ("mean", "min", "max") if c in rows})
    return [
        {key: float(f"{item:.4g}") if isinstance(item, float) else item for key, item in row.items()}
        for row in rows.to_dict("records")
    ]
