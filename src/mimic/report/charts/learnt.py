"""Charts of what students have learnt: how far they follow the ensemble, and what they bear."""

import altair as alt
import pandas as pd

from mimic.config.parameters import budget_parameters
from mimic.nets.families import STUDENTS
from mimic.report import learnt
from mimic.report.charts import theme
from mimic.report.numerals import decimal, plain
from mimic.report.results import Results

HEIGHT = 260  # pixels
BUDGET = "learnt"  # the budget that the reader has picked, of this section
FEWEST = 10  # images of a bin of confidence that a chart shows (ours)
ARMS = {"logits": "", "labels": ", hard labels", "dropout": ", dropout", "weight_decay": ", weight decay"}
RINGS = "rings: trained on hard labels"
DASH = alt.StrokeDashValue([1, 0], condition={"test": "datum.arm === 'labels'", "value": [3, 3]})


def charts(results: Results) -> dict[str, dict]:
    """The specifications by the name of their place on the page."""
    found = {
        "agreement": accuracy_over_agreement(results),
        "divergence": accuracy_over_divergence(results),
        "reliability": reliability(results),
        "augmented": accuracy_when_augmented(results),
    }
    if len(results.shifts) > 1:
        found["translation"] = accuracy_under_translation(results)
    return found


def accuracy_over_agreement(results: Results) -> dict:
    """Accuracy over the share of test images on which a student says what the ensemble says."""
    axis = theme.percent_axis("agreement with the ensemble", tickCount=5)
    x = alt.X("agreement:Q", scale=alt.Scale(zero=False), axis=axis)
    return _over(results, x, "agreement with the ensemble")


def accuracy_over_divergence(results: Results) -> dict:
    """Accuracy over how far a student's probabilities lie from the ensemble's."""
    axis = alt.Axis(title="KL divergence from the ensemble, nats (logarithmic)", tickCount=4, ticks=False)
    return _over(results, alt.X("kl:Q", scale=alt.Scale(type="log"), axis=axis), "KL divergence")


def _over(results: Results, x: alt.X, what: str) -> dict:
    """A point for each student, twins hollow; a line from budget to budget of those that mimic."""
    table = learnt.fidelity(results)
    table = table.assign(size=table.budget.map(budget_parameters), divergence=table.kl.map(decimal))
    rows = _rows(table, "accuracy", "agreement", "same_mistakes")
    tooltip = theme.tooltip(
        title="title",
        accuracy_text="accuracy %",
        agreement_text="agreement %",
        divergence="KL, nats",
        same_mistakes_text="same mistakes %",
    )
    marks = {"color": theme.colour(), "opacity": theme.spotlight(), "tooltip": tooltip}
    mimics, twins = ([row for row in rows if (row["arm"] == "logits") == is_] for is_ in (True, False))
    base = theme.chart(mimics, x=x, y=_accuracy(), **marks)
    layers = [
        base.mark_line(strokeWidth=1.25).encode(order=alt.Order("size:Q")),
        base.mark_point(filled=True, size=44, opacity=1),
        theme.chart(twins, x=x, y=_accuracy(), **marks).mark_point(size=40, strokeWidth=1.4),
    ]
    return _specification(
        layers[: 3 if twins else 2], results, f"Test accuracy over {what}", rows, RINGS if twins else ""
    )


def reliability(results: Results) -> dict:
    """How often predictions are right over how sure they are; on the diagonal both are the same."""
    rows = _rows(learnt.reliability(results), "accuracy", "confidence")
    rows = [row for row in rows if row["arm"] in ("", "logits", "labels") and row["images"] >= FEWEST]
    axis = theme.percent_axis("confidence of the predicted class", tickCount=5)
    x = alt.X("confidence:Q", axis=axis, scale=alt.Scale(domain=[0, 100]))
    y = _accuracy("right", zero=True)
    base = theme.chart(
        rows,
        x=x,
        y=y,
        color=theme.colour(),
        opacity=theme.spotlight(),
        detail=alt.Detail("title:N"),
        tooltip=theme.tooltip(
            title="title", images="images", confidence_text="confidence %", accuracy_text="right %"
        ),
    ).transform_filter(_picked())
    diagonal = theme.chart([{"confidence": n, "accuracy": n} for n in (0, 100)], x=x, y=y)
    layers = [
        diagonal.mark_line(color=theme.MUTED, strokeWidth=1, strokeDash=[1, 3]),
        base.mark_line(strokeWidth=1.5).encode(order=alt.Order("confidence:Q"), strokeDash=DASH),
        base.mark_point(filled=True, size=22, opacity=1),
    ]
    return _specification(
        layers, results, "Share of right predictions over their confidence", rows, _dashed(rows)
    )


def accuracy_under_translation(results: Results) -> dict:
    """Accuracy when the test images are moved."""
    table = learnt.robustness(results).query("view == 'moved'").drop(columns="view")
    rows = _rows(table[table.arm.isin(["", "logits", "labels"])], "accuracy")
    x = alt.X("pixels:Q", axis=alt.Axis(title="moved by (pixels)", values=list(results.shifts), format="d"))
    base = theme.chart(
        rows,
        x=x,
        y=_accuracy(),
        color=theme.colour(),
        opacity=theme.spotlight(),
        detail=alt.Detail("title:N"),
        tooltip=theme.tooltip(title="title", pixels="moved by", accuracy_text="accuracy %"),
    ).transform_filter(_picked())
    layers = [
        base.mark_line(strokeWidth=1.5).encode(strokeDash=DASH),
        base.mark_point(filled=True, size=26, opacity=1),
    ]
    return _specification(layers, results, "Test accuracy when images are moved", rows, _dashed(rows))


def accuracy_when_augmented(results: Results) -> dict:
    """From the accuracy on augmented test images to that on the images as they are."""
    table = learnt.robustness(results)
    identity = ["family", "budget", "arm"]
    plain, augmented = (
        table[is_].set_index(identity).accuracy for is_ in (table.pixels == 0, table.view == "augmented")
    )
    table = pd.DataFrame({"accuracy": plain, "augmented": augmented}).reset_index()
    table = table.assign(net=table.family + table.arm.map(ARMS).fillna(""))
    rows = _rows(table, "accuracy", "augmented")
    families = ["ensemble", *reversed(STUDENTS)]
    order = [family + words for family in families for words in ARMS.values()]
    tooltip = theme.tooltip(title="title", accuracy_text="accuracy %", augmented_text="augmented %")
    y = alt.Y("net:N", sort=order, axis=alt.Axis(title=None, labelLimit=170, labelPadding=8))
    base = theme.chart(
        rows, y=y, color=theme.colour(), opacity=theme.spotlight(), tooltip=tooltip
    ).transform_filter(_picked())
    scale, axis = alt.Scale(zero=False), theme.percent_axis("test accuracy", tickCount=6)
    low, high = (alt.X(f"{column}:Q", scale=scale, axis=axis) for column in ("augmented", "accuracy"))
    layers = [
        base.mark_rule(strokeWidth=1.5).encode(x=low, x2=alt.X2("accuracy:Q")),
        base.mark_point(filled=True, size=44, opacity=1).encode(x=high),
        base.mark_point(filled=False, fill=theme.PAPER, size=40, strokeWidth=1.5, opacity=1).encode(x=low),
    ]
    return _specification(
        layers, results, "Test accuracy as the images are, and augmented", rows, "rings: augmented"
    )


def _rows(table: pd.DataFrame, *shares: str) -> list[dict]:
    """Rows for the page: shares in percent, four digits, and as text; and a title."""
    arms = table.arm.map(ARMS).fillna("")
    table = table.assign(title=(table.family + " " + table.budget).str.strip() + arms)
    table = table.assign(**{f"{column}_text": table[column].map(plain) for column in shares})
    table = table.assign(**{column: 100 * table[column] for column in shares})
    floats = table.select_dtypes("float").columns
    table[floats] = table[floats].map(lambda number: float(f"{number:.4g}"))
    return table.astype(object).where(table.notna(), None).to_dict("records")


def _accuracy(title: str = "test accuracy", zero: bool = False) -> alt.Y:
    scale = alt.Scale(domain=[0, 100]) if zero else alt.Scale(zero=False)
    return alt.Y("accuracy:Q", axis=theme.percent_axis(title, tickCount=6), scale=scale)


def _dashed(rows: list[dict]) -> str:
    return "dashed: trained on hard labels" if any(row["arm"] == "labels" for row in rows) else ""


def _picked() -> str:
    """The students of the picked budget, and the ensemble."""
    return f"datum.budget === {BUDGET} || datum.budget === ''"


def _specification(
    layers: list[alt.Chart], results: Results, what: str, rows: list[dict], key: str = ""
) -> dict:
    parameters = {theme.ISOLATED: "", BUDGET: results.accuracies.budgets()[-1]}
    return theme.specification(
        layers, f"{what}, of {results.label}.", HEIGHT, rows, parameters, key=key, right=14
    )
