"""Learning curves: error on the validation images, and the training loss, over epochs."""

import altair as alt
import numpy as np
import pandas as pd

from mimic.report.charts import theme
from mimic.report.results import Results

POINTS = 3000  # of all curves of a chart together, so that the page stays small
BUDGET = "budget"  # the budget that the reader has picked
HEIGHT = 260  # pixels
TITLES = {"validation_error": "validation error", "train_loss": "training loss"}
COLUMNS = ["kind", "name", "family", "budget", "arm", "seed"]


def curves(results: Results) -> pd.DataFrame:
    """Every epoch of every model that has one: who it is, and the columns of its history."""
    models = results.models[COLUMNS].reset_index(drop=True)
    return models.merge(results.histories, on="name", how="inner")


def student_curves(results: Results, column: str) -> dict:
    """Mean over seeds, with their range, of the students that mimic the ensemble; `column` is in TITLES."""
    table = curves(results)
    table = table[(table.arm == "logits") & table.name.isin(results.finished.index)]
    groups = table.groupby(["family", "budget", "epoch"], sort=False)[column]
    rows = thin(groups.agg(["mean", "min", "max"]).reset_index(), ["family", "budget"])
    records = _records(rows, column)
    base = theme.chart(records, x=_epochs(), color=theme.colour())
    base = base.transform_filter(f"datum.budget === {BUDGET}")
    tooltip = theme.tooltip(family="title", budget="budget")
    line = base.mark_line(strokeWidth=1.75)
    layers = [line.encode(y=_y(column), opacity=theme.spotlight(), tooltip=tooltip)]
    if results.parameters.students.seeds > 1:
        area = base.mark_area().encode(y=_y(column, "min"), y2=alt.Y2("max:Q"), opacity=theme.spotlight(0.16))
        layers.insert(0, area)
    parameters = {theme.ISOLATED: "", BUDGET: results.accuracies.budgets()[0]}
    return _finish(layers, results, column, "students", records, parameters)


def teacher_curves(results: Results, column: str) -> dict:
    """One line a teacher; members of the ensemble stand out."""
    table = curves(results)
    rows = table[table.kind == "teacher"][["name", "epoch", column]].rename(columns={column: "mean"})
    rows["family"] = np.where(rows.name.isin(results.ensemble["members"]), "ensemble", "teacher")
    records = _records(thin(rows, ["name"]), column)
    base = theme.chart(records, color=theme.colour(), detail=alt.Detail("name:N"))
    line = base.mark_line(strokeWidth=1.25, opacity=0.8)
    line = line.encode(x=_epochs(), y=_y(column), tooltip=alt.Tooltip("name:N", title="title"))
    return _finish([line], results, column, "teachers", records)


def _finish(
    layers: list[alt.Chart], results: Results, column: str, who: str, rows: list[dict], parameters=None
) -> dict:
    where = f"over epochs on {results.label}. curves.csv has every value."
    return theme.specification(layers, f"{TITLES[column]} of the {who} {where}", HEIGHT, rows, parameters)


def _epochs() -> alt.X:
    return alt.X("epoch:Q", axis=alt.Axis(title="epoch", tickMinStep=1), scale=alt.Scale(nice=False))


def _y(column: str, field: str = "mean") -> alt.Y:
    axis = theme.percent_axis if column == "validation_error" else alt.Axis
    return alt.Y(f"{field}:Q", axis=axis(title=TITLES[column], tickCount=6), scale=alt.Scale(zero=False))


def thin(rows: pd.DataFrame, by: list[str], most: int = POINTS) -> pd.DataFrame:
    """Every n-th epoch and the last of each curve, so that all curves together have about `most` rows."""
    step = max(1, -(-len(rows) // most))
    last = rows.groupby(by)["epoch"].transform("max")
    return rows[(rows.epoch % step == 1 % step) | (rows.epoch == last)]


def _records(rows: pd.DataFrame, column: str) -> list[dict]:
    """Rows for the page: errors in percent, four digits."""
    values = [name for name in ("mean", "min", "max") if name in rows]
    scale = 100 if column == "validation_error" else 1
    rounded = (scale * rows[values]).map(lambda value: float(f"{value:.4g}"))
    return rows.assign(**rounded).dropna().to_dict("records")
