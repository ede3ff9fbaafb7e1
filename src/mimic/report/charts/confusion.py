"""Which class is taken for which: the ensemble, and beside it a student."""

from functools import partial

import altair as alt
import pandas as pd

from mimic.report import learnt
from mimic.report.charts import theme
from mimic.report.numerals import plain
from mimic.report.results import Results

CLASSES = 12  # at most, so that a cell can be read (ours)
NET = "net"  # the student that the reader has picked


def nets(results: Results) -> dict[str, tuple[str, str, str]]:
    """The students to pick from, by title: of each family the largest that mimics, and its twin."""
    found = {}
    for family, name in reversed(results.exemplars.items()):
        budget = results.evaluated.budget[name]
        for arm, words in (("logits", ""), ("labels", ", hard labels")):
            if any(m.family == family and m.budget == budget for m in results.accuracies.models(arm)):
                found[f"{family} {budget}{words}"] = (family, budget, arm)
    return found


def shown_classes(results: Results) -> list[str]:
    """The classes of a chart: those that the students that can be picked get wrong most often, in order."""
    classes, table = results.data["classes"], _table(results)
    wrong = table[table["class"] != table.predicted].groupby("class").images.sum()
    most = set(wrong.reindex(classes, fill_value=0).nlargest(CLASSES).index)
    return [name for name in classes if name in most]


def confusions(results: Results) -> dict[str, dict]:
    """The specifications by the name of their place on the page."""
    table, classes = _table(results), shown_classes(results)
    table = table[table["class"].isin(classes) & table.predicted.isin(classes)]
    told = {"percent": table.share.map(plain), "text": table.share.map(partial(plain, digits=0))}
    table = table.assign(share=(100 * table.share).round(1), **told)
    rows = table[["net", "family", "class", "predicted", "share", "percent", "text", "images"]]
    ensemble, students = (rows[is_].to_dict("records") for is_ in (rows.net == "", rows.net != ""))
    return {
        "confusion-ensemble": _matrix(ensemble, classes, results),
        "confusion-student": _matrix(students, classes, results, picked=next(iter(nets(results)))),
    }


def _table(results: Results) -> pd.DataFrame:
    """The ensemble's and the pickable students' confusions; `net` is empty for the ensemble."""
    table = learnt.confusion(results)
    titles = {model: title for title, model in nets(results).items()} | {("ensemble", "", ""): ""}
    keys = zip(table.family, table.budget, table.arm, strict=True)
    table = table.assign(net=[titles.get(key) for key in keys])
    return table[table.net.notna()]


def _matrix(rows: list[dict], classes: list[str], results: Results, picked: str | None = None) -> dict:
    """Rows are the classes of the images, columns what is said of them; darker is oftener."""
    axis = {"labelLimit": 90, "domain": False, "ticks": False}
    x = alt.X("predicted:N", sort=classes, scale=alt.Scale(domain=classes, paddingInner=0.06))
    y = alt.Y("class:N", sort=classes, scale=alt.Scale(domain=classes, paddingInner=0.06))
    tooltip = {"class": "class", "predicted": "taken for", "images": "images", "percent": "% of the class"}
    base = theme.chart(
        rows,
        x=x.axis(alt.Axis(title="taken for", labelAngle=-45, grid=False, **axis)),
        y=y.axis(alt.Axis(title="class", **axis)),
        tooltip=theme.tooltip(**tooltip),
    )
    if picked:
        base = base.transform_filter(f"datum.net === {NET}")
    # The square root lets a reader tell 1 % from 5 %, which a linear scale would not.
    strength = alt.Opacity("share:Q", scale=alt.Scale(type="sqrt", domain=[0, 100]), legend=None)
    cells = base.mark_rect().encode(color=theme.colour(legend=None), opacity=strength)
    ink = alt.ColorValue(theme.INK, condition={"test": "datum.share > 30", "value": theme.PAPER})
    numbers = base.transform_filter("datum.share >= 1").mark_text(fontSize=9.5)
    layers = [cells, numbers.encode(text=alt.Text("text:N"), color=ink)]
    who = "a student" if picked else "the ensemble"
    description = f"Which classes of {results.label} {who} takes for which, in percent of a class."
    parameters = {NET: picked} if picked else {}
    return theme.specification(layers, description, 120 + 20 * len(classes), rows, parameters)
