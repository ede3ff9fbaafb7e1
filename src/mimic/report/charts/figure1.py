"""Figure 1 of the paper: accuracy over the number of parameters, with the two gaps marked."""

from dataclasses import dataclass

import altair as alt

from mimic.core.parameters import FAMILIES, budget_parameters
from mimic.report import published
from mimic.report.accuracies import CONVS, ENSEMBLE, MLPS, TEACHER, Accuracies, Model
from mimic.report.charts import theme
from mimic.report.claims import compression_pairs, extremes
from mimic.report.numerals import bounds, percent, plural, quantity
from mimic.report.results import Results

HEIGHT = 460  # pixels
LABEL_HEIGHT = 13.5  # pixels between labels that stand beside each other
ROW = 42  # pixels, of one family where there is a single budget
TICK = 22  # pixels, the mark of a hard-label twin


def figure_1_rows(results: Results) -> list[dict]:
    """A row for each student and twin of the study's families that ran or that the paper has. Percent."""
    table = results.accuracies
    families = {model.family for model in table.cells} & set(FAMILIES)
    models = {
        Model(family, budget, arm)
        for arm in ("logits", "labels")
        for family in families
        for budget in {*table.budgets("logits"), *table.budgets("labels")}
    }
    known = [model for model in models if model in table.cells or published.accuracy(model) is not None]
    order = {family: index for index, family in enumerate(FAMILIES)}
    known.sort(key=lambda model: (order[model.family], budget_parameters(model.budget), model.arm))
    return [_row(results, model) for model in known]


def _row(results: Results, model: Model) -> dict:
    table, theirs = results.accuracies, published.accuracy(model)
    row = {"family": model.family, "budget": model.budget, "arm": model.arm}
    row |= {"parameters": budget_parameters(model.budget), "published": _round(theirs)}
    if model not in table:
        return row | {"diverged": table.diverged(model)}
    models = results.finished
    parameters = models.loc[(models.family == model.family) & (models.budget == model.budget), "parameters"]
    interval, seeds = table.intervals[model], table.cells[model].seeds
    return row | {
        "parameters": int(parameters.iloc[0]),
        "accuracy": _round(interval.mean),
        "low": _round(interval.low),
        "high": _round(interval.high),
        "seeds": seeds,
        "title": f"{model.family} {model.budget}" + (", hard labels" if model.arm == "labels" else ""),
        "ours": f"{percent(interval.mean)} {bounds(interval)}, {plural(seeds, 'seed')}",
        "paper": percent(theirs),
        "size": quantity(int(parameters.iloc[0])),
        "architecture": published.paper()["architectures"].get(model.family, ""),
    }


def _round(fraction: float | None) -> float | None:
    return None if fraction is None else round(100 * fraction, 3)


def figure_1(results: Results) -> dict:
    """The chart: lines over the number of parameters, or with a single budget a row for each family."""
    rows = figure_1_rows(results)
    one_budget = len({row["budget"] for row in rows if "accuracy" in row}) == 1
    return _dots(results, rows) if one_budget else _lines(results, rows)


TOOLTIP = [
    alt.Tooltip("title:N", title=" "),
    alt.Tooltip("ours:N", title="this study"),
    alt.Tooltip("paper:N", title="published"),
    alt.Tooltip("size:N", title="parameters"),
    alt.Tooltip("architecture:N", title="architecture"),
]


def _switches(chart: alt.LayerChart) -> alt.LayerChart:
    isolated = alt.param(name=theme.ISOLATED, value="")
    return chart.add_params(isolated, alt.param(name=theme.PUBLISHED, value=True))


def _if_published() -> dict:
    test = f"{theme.PUBLISHED} && ({theme.ISOLATED} === '' || {theme.ISOLATED} === datum.family)"
    return alt.condition(test, alt.value(0.9), alt.value(0))


def _domain(numbers: list[float]) -> list[float]:
    """Bounds of the accuracy axis, with some air."""
    low, high = min(numbers), max(numbers)
    air = max(1.0, 0.06 * (high - low))
    return [max(0.0, round(low - air, 1)), min(100.0, round(high + air, 1))]


def _accuracy(domain: list[float], field: str = "accuracy") -> alt.Y:
    """The axis of accuracy. Every layer gives the same scale: one without would widen it to zero."""
    return alt.Y(
        f"{field}:Q", scale=alt.Scale(domain=domain), axis=theme.percent_axis("test accuracy", tickCount=7)
    )


def _numbers(results: Results, rows: list[dict]) -> list[float]:
    found = [row[key] for row in rows for key in ("low", "high", "published") if row.get(key) is not None]
    return [*found, 100 * results.accuracies.mean(ENSEMBLE)]


# Several budgets: the paper's figure.


def _lines(results: Results, rows: list[dict]) -> dict:
    rows = [row | {"parameters": row["parameters"] * _dodge(row["family"])} for row in rows]
    ours = [row for row in rows if "accuracy" in row]
    students = [row for row in ours if row["arm"] == "logits"]
    twins = [row for row in ours if row["arm"] == "labels"]
    domain = _domain(_numbers(results, rows))
    sizes = [row["parameters"] for row in ours]
    x = alt.X(
        "parameters:Q",
        scale=alt.Scale(type="log", domain=[min(sizes) / 1.7, max(sizes) * 1.03], nice=False),
        axis=alt.Axis(title="parameters (logarithmic)", values=_ticks(results), format="~s"),
    )
    y = _accuracy(domain)
    base = alt.Chart(theme.values(students)).encode(x=x, color=theme.colour(), opacity=theme.spotlight())
    layers = [
        *_reference_lines(results, domain),
        base.mark_line(strokeWidth=2, interpolate="monotone").encode(y=y),
        base.mark_rule(strokeWidth=1.25).encode(y=_accuracy(domain, "low"), y2="high:Q"),
        base.mark_point(filled=True, size=46, opacity=1).encode(y=y, tooltip=TOOLTIP),
        alt.Chart(theme.values(twins))
        .mark_tick(orient="horizontal", size=TICK, thickness=2.5)
        .encode(x=x, y=y, color=theme.colour(), opacity=theme.spotlight(), tooltip=TOOLTIP),
        alt.Chart(theme.values(row for row in rows if row["published"] is not None))
        .mark_point(filled=False, size=62, strokeWidth=1.2, shape="circle")
        .encode(x=x, y=_accuracy(domain, "published"), color=theme.colour(), opacity=_if_published()),
        _end_labels(students, domain, x),
        *_gap_marks(results.accuracies, domain, x),
    ]
    chart = _switches(alt.layer(*layers))
    padding = {"left": 4, "right": 52, "top": 18, "bottom": 4}
    return theme.specification(chart, _describe(results), height=HEIGHT, padding=padding)


def _dodge(family: str) -> float:
    """A factor that puts families of one class side by side, so that their error bars can be told apart."""
    family_class = next(group for group in (MLPS, CONVS) if family in group)
    return 1.025 ** (family_class.index(family) - (len(family_class) - 1) / 2)


def _ticks(results: Results) -> list[int]:
    table = results.accuracies
    return [budget_parameters(b) for b in sorted({*table.budgets("logits"), *table.budgets("labels")})]


def _reference_lines(results: Results, domain: list[float]) -> list[alt.Chart]:
    """The ensemble, solid, and the best single teacher, dashed; labels at the left, over their lines."""
    table = results.accuracies
    lines = [("ensemble", "teacher ensemble", ENSEMBLE, [1, 0])]
    if TEACHER in table:
        lines.append(("teacher", "best teacher", TEACHER, [3, 3]))
    places = [100 * table.mean(model) for _, _, model, _ in lines]
    gap = LABEL_HEIGHT * (domain[1] - domain[0]) / HEIGHT
    at = [place + gap / 2 for place in places]
    if len(places) == 2 and abs(places[0] - places[1]) < gap:  # too close: the lower one's label goes below
        at[places.index(min(places))] = min(places) - gap / 2
    charts = []
    for (family, label, model, dash), place, label_at in zip(lines, places, at, strict=True):
        row = {"family": family, "accuracy": place, "label_at": label_at}
        row |= {"title": f"{label} {percent(table.mean(model))}"}
        base = alt.Chart(theme.values([row]))
        charts.append(
            base.mark_rule(strokeWidth=1.25, strokeDash=dash, color=theme.COLOURS[family]).encode(
                y=_accuracy(domain)
            )
        )
        charts.append(
            base.mark_text(align="left", baseline="middle", dx=2, color=theme.COLOURS[family]).encode(
                x=alt.value(0), y=_accuracy(domain, "label_at"), text="title:N"
            )
        )
    return charts


def _end_labels(students: list[dict], domain: list[float], x: alt.X) -> alt.Chart:
    """Each family's name at the right end of its line, moved apart where lines end close together."""
    largest = max(row["parameters"] for row in students)
    last = {row["family"]: row for row in sorted(students, key=lambda row: row["parameters"])}
    gap = LABEL_HEIGHT * (domain[1] - domain[0]) / HEIGHT
    places = theme.spread([row["accuracy"] for row in last.values()], gap)
    rows = [
        {"family": row["family"], "parameters": largest, "label_at": place}
        for row, place in zip(last.values(), places, strict=True)
    ]
    return (
        alt.Chart(theme.values(rows))
        .mark_text(align="left", baseline="middle", dx=12, fontWeight=600)
        .encode(
            x=x,
            y=_accuracy(domain, "label_at"),
            text="family:N",
            color=theme.colour(),
            opacity=theme.spotlight(),
        )
    )


@dataclass(frozen=True)
class Gap:
    """A difference between two models that the paper names."""

    name: str
    better: Model
    worse: Model
    side: int  # of the models' budget on which it is marked: -1 left, 1 right

    def row(self, table: Accuracies) -> dict:
        low, high = (_round(table.mean(model)) for model in (self.worse, self.better))
        parameters = budget_parameters(self.better.budget) * (1 + 0.16 * self.side)
        row = {"family": self.better.family, "parameters": parameters, "low": low, "high": high}
        return row | {"middle": (low + high) / 2, "label": [self.name, f"{high - low:.1f} points"]}


def _gaps(table: Accuracies) -> list[Gap]:
    """The convolutional gap at the largest budget that shows it, and the largest compression gap."""
    found = []
    shown = [pair for budget in table.budgets() if (pair := extremes(table, budget))]
    if shown:
        found.append(Gap("convolutional gap", *shown[-1], side=-1))
    if pairs := compression_pairs(table):
        widest = max(pairs, key=lambda pair: table.mean(pair[0]) - table.mean(pair[1]))
        found.append(Gap("compression gap", *widest, side=1))
    return [gap for gap in found if table.mean(gap.better) > table.mean(gap.worse)]


def _gap_marks(table: Accuracies, domain: list[float], x: alt.X) -> list[alt.Chart]:
    """A vertical bracket for each gap, with its name beside it."""
    charts = []
    for gap in _gaps(table):
        base = alt.Chart(theme.values([gap.row(table)]))
        charts.append(base.mark_rule(color=theme.MUTED).encode(x=x, y=_accuracy(domain, "low"), y2="high:Q"))
        for end in ("low", "high"):
            tick = base.mark_tick(color=theme.MUTED, orient="horizontal", size=7, thickness=1)
            charts.append(tick.encode(x=x, y=_accuracy(domain, end)))
        align = "left" if gap.side > 0 else "right"
        text = base.mark_text(align=align, dx=7 * gap.side, dy=-6, color=theme.MUTED, lineHeight=14)
        charts.append(text.encode(x=x, y=_accuracy(domain, "middle"), text="label:N"))
    return charts


# One budget: nothing to draw a line through, so each family has a row.


def _dots(results: Results, rows: list[dict]) -> dict:
    order = sorted({row["family"] for row in rows}, key=FAMILIES.index, reverse=True)
    students = [row for row in rows if "accuracy" in row and row["arm"] == "logits"]
    twins = [row for row in rows if "accuracy" in row and row["arm"] == "labels"]
    domain = _domain(_numbers(results, rows))
    axis = alt.Axis(title=None, grid=True, labelFontSize=12, labelColor=theme.INK, labelPadding=8)
    y = alt.Y("family:N", sort=order, axis=axis)
    marks = {"y": y, "color": theme.colour(), "opacity": theme.spotlight()}
    base = alt.Chart(theme.values(students)).encode(**marks)
    layers = [
        *_reference_columns(results, domain),
        *_gap_rows(results.accuracies, domain, y),
        base.mark_rule(strokeWidth=2).encode(x=_column(domain, "low"), x2="high:Q"),
        base.mark_point(filled=True, size=80, opacity=1).encode(x=_column(domain), tooltip=TOOLTIP),
        alt.Chart(theme.values(twins))
        .mark_tick(orient="vertical", size=TICK, thickness=2.5)
        .encode(x=_column(domain), tooltip=TOOLTIP, **marks),
        alt.Chart(
            theme.values(row for row in rows if row["published"] is not None and row["arm"] == "logits")
        )
        .mark_point(filled=False, size=80, strokeWidth=1.4)
        .encode(x=_column(domain, "published"), y=y, color=theme.colour(), opacity=_if_published()),
        base.mark_text(dy=-13, fontWeight=600).encode(
            x=_column(domain), text=alt.Text("accuracy:Q", format=".1f")
        ),
        alt.Chart(theme.values(row for row in rows if row.get("diverged") and row["arm"] == "logits"))
        .mark_text(align="left", dx=6, dy=-8, color=theme.MUTED, fontStyle="italic")
        .encode(x=alt.value(0), y=y, text=alt.value("diverged")),
    ]
    chart = _switches(alt.layer(*layers))
    padding = {"left": 4, "right": 12, "top": 24, "bottom": 4}
    return theme.specification(chart, _describe(results), height=ROW * len(order), padding=padding)


def _column(domain: list[float], field: str = "accuracy") -> alt.X:
    axis = theme.percent_axis("test accuracy", tickCount=8)
    return alt.X(f"{field}:Q", scale=alt.Scale(domain=domain), axis=axis)


def _reference_columns(results: Results, domain: list[float]) -> list[alt.Chart]:
    row = {"accuracy": _round(results.accuracies.mean(ENSEMBLE))}
    row["title"] = f"teacher ensemble {row['accuracy']:.1f}%"
    base = alt.Chart(theme.values([row])).encode(x=_column(domain))
    return [
        base.mark_rule(color=theme.INK, strokeWidth=1.25),
        base.mark_text(align="right", dx=4, color=theme.INK).encode(y=alt.value(-10), text="title:N"),
    ]


def _gap_rows(table: Accuracies, domain: list[float], y: alt.Y) -> list[alt.Chart]:
    """A dashed line for each gap on the row of its better model, its size above or below."""
    charts = []
    for gap in _gaps(table):
        row = gap.row(table)
        base = alt.Chart(theme.values([row | {"label": " ".join(row["label"])}])).encode(y=y)
        rule = base.mark_rule(color=theme.MUTED, strokeDash=[3, 3])
        charts.append(rule.encode(x=_column(domain, "low"), x2="high:Q"))
        text = base.mark_text(color=theme.MUTED, dy=-13 if gap.side < 0 else 19)
        charts.append(text.encode(x=_column(domain, "middle"), text="label:N"))
    return charts


def _describe(results: Results) -> str:
    table = results.accuracies
    models = sorted(table.models("logits"), key=table.mean)
    text = f"Test accuracy over parameters on {results.label}: ensemble {percent(table.mean(ENSEMBLE))}"
    if not models:
        return f"{text}; no student finished."
    worst, best = models[0], models[-1]
    return (
        f"{text}; best student {best.family} at {best.budget} {percent(table.mean(best))}, "
        f"worst {worst.family} at {worst.budget} {percent(table.mean(worst))}. Table 2 has every value."
    )
