"""Figure 1 for several budgets, as in the paper: a line for each family over its parameters."""

import altair as alt

from mimic.config.parameters import budget_parameters
from mimic.report.accuracies import ENSEMBLE, TEACHER
from mimic.report.charts import figure1_rows as shared
from mimic.report.charts import theme
from mimic.report.numerals import percent
from mimic.report.results import Results
from mimic.report.student_families import peers

HEIGHT = 460  # pixels
LABEL_HEIGHT = 13.5  # pixels between labels that stand beside each other
BESIDE = 1.16  # the bracket of a gap stands at this multiple of its budget
LEFT, RIGHT = 1.7, 1.03  # air beside the smallest and largest net, as factors; labels stand on the left


def lines(results: Results, rows: list[dict]) -> dict:
    """The chart of `figure_1_rows`."""
    rows = [row | {"parameters": row["parameters"] * _dodge(row["family"])} for row in rows]
    students, twins = (shared.with_accuracy(rows, arm) for arm in ("logits", "labels"))
    bounds = shared.domain(results, rows)
    x, y = _parameters(results, students + twins), _accuracy(bounds)
    marks = {"x": x, "color": theme.colour(), "opacity": theme.spotlight()}
    base = alt.Chart(theme.values(students)).encode(**marks)
    layers = [
        *_reference_lines(results, bounds),
        base.mark_line(strokeWidth=2, interpolate="monotone").encode(y=y),
        *_spread(students, bounds, x),
        base.mark_rule(strokeWidth=1.25).encode(y=_accuracy(bounds, "low"), y2="high:Q"),
        shared.published_rings(rows).encode(x=x, y=_accuracy(bounds, "published")),
        base.mark_point(filled=True, size=46, opacity=1).encode(
            y=y, tooltip=shared.TOOLTIP, description=shared.SPOKEN
        ),
        alt.Chart(theme.values(twins))
        .mark_tick(orient="horizontal", size=shared.TICK, thickness=2.5)
        .encode(y=y, tooltip=shared.TOOLTIP, description=shared.SPOKEN, **marks),
        _end_labels(students, bounds, x),
        *_gap_marks(results, bounds, x),
    ]
    padding = {"left": 4, "right": 52, "top": 18, "bottom": 4}
    return shared.finish(results, layers, HEIGHT, padding)


def _spread(students: list[dict], bounds: list[float], x: alt.X) -> list[alt.Chart]:
    """Dashed lines for the first and the last of the best trials, where families were searched."""
    searched = alt.Chart(theme.values(row for row in students if "best" in row))
    dashed = searched.mark_line(strokeWidth=1, strokeDash=[4, 3], interpolate="monotone")
    return [
        dashed.encode(x=x, y=_accuracy(bounds, end), color=theme.colour(), opacity=theme.spotlight(0.75))
        for end in ("best", "last")
    ]


def _dodge(family: str) -> float:
    """A factor that puts families of one class side by side, so that their error bars can be told apart."""
    others = peers(family)
    return 1.025 ** (others.index(family) - (len(others) - 1) / 2)


def _parameters(results: Results, ours: list[dict]) -> alt.X:
    table, sizes = results.plotted, [row["parameters"] for row in ours]
    ticks = sorted(
        budget_parameters(budget) for budget in {*table.budgets("logits"), *table.budgets("labels")}
    )
    scale = alt.Scale(type="log", domain=[min(sizes) / LEFT, max(sizes) * RIGHT], nice=False)
    return alt.X(
        "parameters:Q",
        scale=scale,
        axis=alt.Axis(title="parameters (logarithmic)", values=ticks, format="~s"),
    )


def _accuracy(bounds: list[float], field: str = "accuracy") -> alt.Y:
    """The axis of accuracy. Every layer gives the same scale: one without would widen it to zero."""
    axis = theme.percent_axis("test accuracy", tickCount=7)
    return alt.Y(f"{field}:Q", scale=alt.Scale(domain=bounds), axis=axis)


def _label_gap(bounds: list[float]) -> float:
    return LABEL_HEIGHT * (bounds[1] - bounds[0]) / HEIGHT


def _reference_lines(results: Results, bounds: list[float]) -> list[alt.Chart]:
    """The ensemble, solid, and the best single teacher, dashed, each with its name at the left."""
    table, gap = results.plotted, _label_gap(bounds)
    models = [("teacher ensemble", ENSEMBLE, [1, 0]), ("best teacher", TEACHER, [3, 3])]
    models = [(name, model, dash) for name, model, dash in models if model in table]
    places = [100 * table.mean(model) for _, model, _ in models]
    above = theme.spread([place + gap / 2 for place in places], gap)
    charts = []
    for (name, model, dash), place, label_at in zip(models, places, above, strict=True):
        row = {"accuracy": place, "label_at": label_at, "title": f"{name} {percent(table.mean(model))}"}
        base, colour = alt.Chart(theme.values([row])), theme.TEACHERS[model.family]
        rule = base.mark_rule(strokeWidth=1.25, strokeDash=dash, color=colour)
        text = base.mark_text(align="left", baseline="middle", dx=2, color=colour)
        charts.append(rule.encode(y=_accuracy(bounds)))
        charts.append(text.encode(x=alt.value(0), y=_accuracy(bounds, "label_at"), text="title:N"))
    return charts


def _end_labels(students: list[dict], bounds: list[float], x: alt.X) -> alt.Chart:
    """Each family's name at the right end of its line, moved apart where lines end close together."""
    largest = max(row["parameters"] for row in students)
    last = {row["family"]: row for row in sorted(students, key=lambda row: row["parameters"])}
    places = theme.spread([row["accuracy"] for row in last.values()], _label_gap(bounds))
    rows = [
        {"family": family, "parameters": largest, "label_at": place}
        for family, place in zip(last, places, strict=True)
    ]
    text = alt.Chart(theme.values(rows)).mark_text(align="left", baseline="middle", dx=12, fontWeight=600)
    return text.encode(
        x=x, y=_accuracy(bounds, "label_at"), text="family:N", color=theme.colour(), opacity=theme.spotlight()
    )


def _gap_marks(results: Results, bounds: list[float], x: alt.X) -> list[alt.Chart]:
    """A vertical bracket for each gap, with its name on its right."""
    charts = []
    for gap in shared.gaps(results.plotted):
        row, budget = gap.row(results.plotted), gap.better.budget
        label = [gap.name, f"{row['high'] - row['low']:.1f} points at {budget}"]
        row |= {"parameters": budget_parameters(budget) * BESIDE, "label": label}
        base = alt.Chart(theme.values([row])).encode(x=x)
        charts.append(base.mark_rule(color=theme.MUTED).encode(y=_accuracy(bounds, "low"), y2="high:Q"))
        tick = base.mark_tick(color=theme.MUTED, orient="horizontal", size=7, thickness=1)
        charts += [tick.encode(y=_accuracy(bounds, end)) for end in ("low", "high")]
        text = base.mark_text(align="left", dx=7, dy=-6, color=theme.MUTED, lineHeight=14)
        charts.append(text.encode(y=_accuracy(bounds, "middle"), text="label:N"))
    return charts
