"""Figure 2, which the paper lacks: accuracy over what training cost."""

import altair as alt
import pandas as pd

from mimic.config.parameters import budget_parameters
from mimic.nets.families import STUDENTS
from mimic.report.charts import theme
from mimic.report.numerals import flop, percent, plural
from mimic.report.results import Results

HEIGHT = 360  # pixels
LABEL_HEIGHT = 13.5  # pixels between labels that stand beside each other
TWIN = 16  # pixels, the mark of a hard-label twin
TOOLTIP = theme.tooltip(title="title", ours="test accuracy", cost="training")


def figure_2_rows(results: Results) -> list[dict]:
    """A row for each student and twin, mean over seeds, each teacher, and the ensemble. Accuracy in percent.

    The FLOPs are those of a model's own training: of the ensemble, of all its members together.
    """
    nets = results.finished[results.finished.arm.isin(["logits", "labels"])]
    groups = nets.groupby(["family", "budget", "arm"], sort=False)
    rows = [
        _row(*key, f"{key[0]} {key[1]}{', hard labels' if key[2] == 'labels' else ''}", group)
        for key, group in groups
    ]
    rows.sort(key=lambda row: (list(STUDENTS).index(row["family"]), budget_parameters(row["budget"])))
    alone = results.finished[results.finished.kind.isin(["teacher", "ensemble"])]
    return rows + [_row(net.kind, "", "", net.Index, alone.loc[[net.Index]]) for net in alone.itertuples()]


def _row(family: str, budget: str, arm: str, title: str, nets: pd.DataFrame) -> dict:
    accuracy, flops = nets.accuracy.mean(), nets.training_flops.mean()
    seeds = f", {plural(len(nets), 'seed')}" if budget else ""
    return {
        "family": family,
        "budget": budget,
        "arm": arm,
        "training_flops": float(f"{flops:.4g}"),
        "accuracy": round(100 * accuracy, 3),
        "seeds": len(nets) if budget else None,
        "title": title,
        "ours": percent(accuracy) + seeds,
        "cost": flop(flops),
    }


def figure_2(results: Results) -> dict:
    """A line for each family over its budgets, ticks for twins, points for teachers and the ensemble."""
    rows = [row for row in figure_2_rows(results) if row["training_flops"] > 0]
    students, twins, teachers, ensemble = (
        [row for row in rows if (row["arm"] or row["family"]) == kind]
        for kind in ("logits", "labels", "teacher", "ensemble")
    )
    costs = [row["training_flops"] for row in rows]
    scale = alt.Scale(type="log", domain=[min(costs) / 1.2, max(costs) * 1.2], nice=False)
    axis = alt.Axis(title="training FLOPs (logarithmic)", format="~s", tickCount=5)
    axes = {
        "x": alt.X("training_flops:Q", scale=scale, axis=axis),
        "y": _accuracy("accuracy", rows),
        "color": theme.colour(),
        "opacity": theme.spotlight(),
        "tooltip": TOOLTIP,
    }
    base = theme.chart(students, **axes)
    layers = [
        base.mark_line(strokeWidth=2, interpolate="monotone").encode(order=alt.Order("training_flops:Q")),
        theme.chart(teachers, **axes).mark_point(filled=True, size=24, opacity=0.7),
        base.mark_point(filled=True, size=46, opacity=1),
        theme.chart(twins, **axes).mark_tick(orient="horizontal", size=TWIN, thickness=2.5),
        theme.chart(ensemble, **axes).mark_point(filled=True, size=60, opacity=1),
        theme.chart(ensemble, **axes).mark_text(align="right", dx=-8).encode(text=alt.TextValue("ensemble")),
        _labels(students, rows, axes),
    ]
    description = f"Test accuracy over the FLOPs of training on {results.label}; figure2.csv has every value."
    key = "short bars: trained on hard labels" if twins else ""
    return theme.specification(layers, description, HEIGHT, rows, {theme.ISOLATED: ""}, key=key, right=52)


def _accuracy(field: str, rows: list[dict]) -> alt.Y:
    low, high = _bounds(rows)
    axis = theme.percent_axis("test accuracy", tickCount=7)
    return alt.Y(f"{field}:Q", scale=alt.Scale(domain=[low, high]), axis=axis)


def _bounds(rows: list[dict]) -> tuple[float, float]:
    low, high = (end(row["accuracy"] for row in rows) for end in (min, max))
    air = max(1.0, 0.06 * (high - low))
    return round(low - air, 1), round(high + air, 1)


def _labels(students: list[dict], rows: list[dict], axes: dict) -> alt.Chart:
    """Each family's name at the right end of its line, moved apart where lines end close together."""
    low, high = _bounds(rows)
    last = {row["family"]: row for row in sorted(students, key=lambda row: row["training_flops"])}
    places = theme.spread([row["accuracy"] for row in last.values()], LABEL_HEIGHT * (high - low) / HEIGHT)
    ends = [row | {"label_at": at} for row, at in zip(last.values(), places, strict=True)]
    base = theme.chart(ends, **axes | {"y": _accuracy("label_at", rows), "text": alt.Text("family:N")})
    return base.mark_text(align="left", baseline="middle", dx=9, fontWeight=600)
