"""Figure 1 for a single budget: no line to draw, so each family has a row."""

import altair as alt

from mimic.report.accuracies import ENSEMBLE, Accuracies
from mimic.report.charts import figure1_rows as shared
from mimic.report.charts import theme
from mimic.report.results import Results
from mimic.report.student_families import rank

ROW = 42  # pixels
SPREAD = 11  # pixels, the marks of the first and last of the best trials
BELOW = 17  # pixels, the bracket of the convolutional gap under its row


def dots(results: Results, rows: list[dict]) -> dict:
    """The chart of `figure_1_rows`."""
    order = sorted({row["family"] for row in rows}, key=rank, reverse=True)
    mimics = [row for row in rows if row["arm"] == "logits"]
    students, twins = (shared.with_accuracy(rows, arm) for arm in ("logits", "labels"))
    bounds = shared.domain(results, rows)
    axis = alt.Axis(title=None, grid=True, labelFontSize=12, labelColor=theme.INK, labelPadding=8)
    y = alt.Y("family:N", sort=order, axis=axis)
    marks = {"y": y, "color": theme.colour(), "opacity": theme.spotlight()}
    base = alt.Chart(theme.values(students)).encode(**marks)
    layers = [
        *_reference_columns(results, bounds),
        *_gap_marks(results.plotted, bounds, y),
        base.mark_rule(strokeWidth=2).encode(x=_accuracy(bounds, "low"), x2="high:Q"),
        *(
            base.mark_tick(orient="vertical", size=SPREAD, thickness=1.25).encode(x=_accuracy(bounds, end))
            for end in ("best", "last")
        ),
        shared.published_rings(mimics).encode(x=_accuracy(bounds, "published"), y=y),
        base.mark_point(filled=True, size=70, opacity=1).encode(
            x=_accuracy(bounds), tooltip=shared.TOOLTIP, description=shared.SPOKEN
        ),
        alt.Chart(theme.values(twins))
        .mark_tick(orient="vertical", size=shared.TICK, thickness=2.5)
        .encode(x=_accuracy(bounds), tooltip=shared.TOOLTIP, description=shared.SPOKEN, **marks),
        base.mark_text(dy=-14, fontWeight=600).encode(
            x=_accuracy(bounds), text=alt.Text("accuracy:Q", format=".1f")
        ),
        alt.Chart(theme.values(row for row in mimics if row["diverged"]))
        .mark_text(align="left", dx=6, dy=-8, color=theme.MUTED, fontStyle="italic")
        .encode(x=alt.value(0), y=y, text=alt.value("diverged")),
    ]
    padding = {"left": 4, "right": 12, "top": 24, "bottom": 4}
    return shared.finish(results, layers, ROW * len(order), padding)


def _accuracy(bounds: list[float], field: str = "accuracy") -> alt.X:
    """The axis of accuracy. Every layer gives the same scale: one without would widen it to zero."""
    axis = theme.percent_axis("test accuracy", tickCount=8)
    return alt.X(f"{field}:Q", scale=alt.Scale(domain=bounds), axis=axis)


def _reference_columns(results: Results, bounds: list[float]) -> list[alt.Chart]:
    accuracy = 100 * results.plotted.mean(ENSEMBLE)
    row = {"accuracy": accuracy, "title": f"teacher ensemble {accuracy:.1f}%"}
    base = alt.Chart(theme.values([row])).encode(x=_accuracy(bounds))
    return [
        base.mark_rule(color=theme.INK, strokeWidth=1.25),
        base.mark_text(align="right", dx=4, color=theme.INK).encode(y=alt.value(-10), text="title:N"),
    ]


def _gap_marks(table: Accuracies, bounds: list[float], y: alt.Y) -> list[alt.Chart]:
    """The convolutional gap as a bracket under its row; the compression gap named beside its twin."""
    charts = []
    for gap in shared.gaps(table):
        row = gap.row(table)
        row["label"] = f"{gap.name} {row['high'] - row['low']:.1f}"
        base = alt.Chart(theme.values([row])).encode(y=y)
        if gap.name == "compression gap":
            text = base.mark_text(align="right", dx=-8, dy=-9, color=theme.MUTED)
            charts.append(text.encode(x=_accuracy(bounds, "low"), text="label:N"))
            continue
        rule = base.mark_rule(color=theme.MUTED, yOffset=BELOW)
        charts.append(rule.encode(x=_accuracy(bounds, "low"), x2="high:Q"))
        tick = base.mark_tick(color=theme.MUTED, orient="vertical", size=7, thickness=1, yOffset=BELOW)
        charts += [tick.encode(x=_accuracy(bounds, end)) for end in ("low", "high")]
        text = base.mark_text(align="right", dy=BELOW + 10, color=theme.MUTED)
        charts.append(text.encode(x=_accuracy(bounds, "high"), text="label:N"))
    return charts
