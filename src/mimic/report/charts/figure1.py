"""Figure 1 of the paper: accuracy over the number of parameters, with the two gaps marked.

Where a single budget finished there is no line to draw: then each family has a row.
"""

import altair as alt

from mimic.config.parameters import budget_parameters
from mimic.report.accuracies import ENSEMBLE, TEACHER
from mimic.report.charts import theme
from mimic.report.charts.figure1_rows import figure_1_rows, gaps
from mimic.report.numerals import percent
from mimic.report.results import Results
from mimic.report.student_families import peers, rank

TOOLTIP = theme.tooltip(
    title="title", ours="this study", paper="published", size="parameters", architecture="architecture"
)
TWIN = 20  # pixels, the mark of a hard-label twin
HEIGHT = 400  # pixels, of the lines
LABEL_HEIGHT = 13.5  # pixels between labels that stand beside each other
BESIDE = 1.16  # the bracket of a gap stands at this multiple of its budget
LEFT, RIGHT = 1.7, 1.03  # air beside the smallest and largest net, as factors; labels stand on the left
ROW = 42  # pixels, of a family
SPREAD = 11  # pixels, the marks of the best and the worst
BELOW = 17  # pixels, the bracket of the convolutional gap under its row


def figure_1(results: Results) -> dict:
    """Lines over the number of parameters, or where a single budget finished a row for each family."""
    rows = figure_1_rows(results)
    budgets = {row["budget"] for row in rows if "accuracy" in row}
    return (Rows if len(budgets) == 1 else Lines)(results, rows).specification()


class Figure:
    """What both forms draw of `figure_1_rows`. A form gives a model its `place` and adds marks of its own."""

    channel: str  # that of accuracy
    upright: str  # the orientation of a tick across it
    ticks: int
    sizes: tuple[float, float]  # pixels, of a point and the stroke of an interval
    extremes: str  # the marks of the best and the worst
    paper: str  # the marks of what is published, and that they are
    frame: dict[str, int]  # pixels

    def __init__(self, results: Results, rows: list[dict]) -> None:
        self.results, self.table, self.rows, self.ringed = results, results.plotted, rows, rows
        self.students, self.twins = (
            [row for row in rows if row["arm"] == arm and "accuracy" in row] for arm in ("logits", "labels")
        )
        keys = ("low", "high", "best", "worst", "published")
        numbers = [row[key] for row in rows for key in keys if row.get(key) is not None]
        numbers.append(100 * results.accuracies.mean(ENSEMBLE))
        air = max(1.0, 0.06 * (max(numbers) - min(numbers)))
        self.bounds = [max(0.0, round(min(numbers) - air, 1)), min(100.0, round(max(numbers) + air, 1))]
        self.marks = {**self.place(), "color": theme.colour(), "opacity": theme.spotlight()}

    def accuracy(self, field: str = "accuracy", to: str | None = None) -> dict:
        """The axis of accuracy. Every layer gives the same scale: one without would widen it to zero."""
        axis = theme.percent_axis("test accuracy", tickCount=self.ticks)
        channel, second = {"x": (alt.X, alt.X2), "y": (alt.Y, alt.Y2)}[self.channel]
        place = channel(f"{field}:Q", scale=alt.Scale(domain=self.bounds), axis=axis)
        return {self.channel: place} | ({f"{self.channel}2": second(f"{to}:Q")} if to else {})

    def specification(self) -> dict:
        size, thick = self.sizes
        base, twins = (theme.chart(rows, **self.marks) for rows in (self.students, self.twins))
        told = {**self.accuracy(), "tooltip": TOOLTIP, "description": alt.Description("spoken:N")}
        layers = [
            *self.published(),
            *self.references(),
            *self.gaps(),
            *self.spread(base),
            base.mark_rule(strokeWidth=thick).encode(**self.accuracy("low", "high")),
            self.rings(),
            base.mark_point(filled=True, size=size, opacity=1).encode(**told),
            twins.mark_tick(orient=self.upright, size=TWIN, thickness=2.5).encode(**told),
            *self.labels(base),
        ]
        meanings = [
            (self.twins, "short bars: trained on hard labels"),
            ([row for row in self.students if "best" in row], f"{self.extremes}: the best and the worst"),
            ([row for row in self.ringed if row["published"] is not None], self.paper),
        ]
        key = "; ".join(meaning for rows, meaning in meanings if rows)
        switches = {theme.ISOLATED: "", theme.PUBLISHED: True}
        return theme.specification(
            layers, self.describe(), table=self.rows, parameters=switches, key=key, **self.frame
        )

    def published(self) -> list[alt.Chart]:
        """The published curves, behind all else."""
        return []

    def rings(self) -> alt.Chart:
        """The published figures. To be drawn below ours, which then get the pointer."""
        rows = [row for row in self.ringed if row["published"] is not None]
        rings = theme.chart(rows, **self.marks).mark_point(filled=False, size=90, strokeWidth=1.1)
        return rings.encode(
            **self.accuracy("published"),
            opacity=_where_published(0.6),
            tooltip=theme.tooltip(title="title", paper="published"),
            description=alt.Description("spoken_paper:N"),
        )

    def bracket(self, base: alt.Chart, **mark) -> list[alt.Chart]:
        """From the lower end of a gap to its higher."""
        tick = base.mark_tick(color=theme.MUTED, orient=self.upright, size=7, thickness=1, **mark)
        rule = base.mark_rule(color=theme.MUTED, **mark).encode(**self.accuracy("low", "high"))
        return [rule, *(tick.encode(**self.accuracy(end)) for end in ("low", "high"))]

    def describe(self) -> str:
        """What the chart shows, for those who do not see it."""
        worst, *_, best = 2 * sorted(self.table.models("logits"), key=self.table.mean)
        ensemble, high, low = (percent(self.table.mean(model)) for model in (ENSEMBLE, best, worst))
        return (
            f"Test accuracy over parameters on {self.results.label}: ensemble {ensemble}; best student "
            f"{best.family} at {best.budget} {high}, worst {worst.family} at {worst.budget} {low}. "
            "Table 2 has every value."
        )


def _where_published(opacity: float) -> alt.OpacityValue:
    """Of the paper's figures, while they show and no other family is picked."""
    switched_on = f"{theme.PUBLISHED} && ({theme.ISOLATED} === '' || {theme.ISOLATED} === datum.family)"
    return theme.opacity(switched_on, opacity, 0)


class Lines(Figure):
    """As in the paper: a line for each family over its parameters."""

    channel, upright, ticks, sizes = "y", "horizontal", 7, (46, 1.25)
    extremes, paper = "dashed lines", "rings and broad faint lines: published"

    def __init__(self, results: Results, rows: list[dict]) -> None:
        dodged = []  # families of one class side by side, so that their error bars can be told apart
        for row in rows:
            others = peers(row["family"])
            dodge = 1.025 ** (others.index(row["family"]) - (len(others) - 1) / 2)
            dodged.append(row | {"parameters": row["parameters"] * dodge})
        super().__init__(results, dodged)
        self.rows = rows
        self.frame = {"height": HEIGHT, "right": 52}
        self.gap = LABEL_HEIGHT * (self.bounds[1] - self.bounds[0]) / HEIGHT  # of two labels, in percent

    def place(self) -> dict:
        sizes = [row["parameters"] for row in self.students + self.twins]
        scale = alt.Scale(type="log", domain=[min(sizes) / LEFT, max(sizes) * RIGHT], nice=False)
        ticks = [budget_parameters(budget) for budget in self.table.budgets("logits", "labels")]
        axis = alt.Axis(title="parameters (logarithmic)", values=ticks, format="~s")
        return {"x": alt.X("parameters:Q", scale=scale, axis=axis)}

    def published(self) -> list[alt.Chart]:
        """A broad faint line for each family."""
        rows = [row for row in self.ringed if row["arm"] == "logits" and row["published"] is not None]
        line = theme.chart(rows, **self.marks).mark_line(
            strokeWidth=7, strokeCap="round", interpolate="monotone"
        )
        return [line.encode(**self.accuracy("published"), opacity=_where_published(0.15))]

    def references(self) -> list[alt.Chart]:
        """The ensemble, solid, and the best single teacher, dashed, each with its name at the left."""
        models = {"teacher ensemble": (ENSEMBLE, [1, 0]), "best teacher": (TEACHER, [3, 3])}
        models = {name: found for name, found in models.items() if found[0] in self.table}
        places = [100 * self.table.mean(model) for model, _ in models.values()]
        above = theme.spread([place + self.gap / 2 for place in places], self.gap)
        charts = []
        for (name, (model, dash)), place, label_at in zip(models.items(), places, above, strict=True):
            title = f"{name} {percent(self.table.mean(model))}"
            base = theme.chart([{"accuracy": place, "label_at": label_at, "title": title}])
            colour = theme.TEACHERS[model.family]
            rule = base.mark_rule(strokeWidth=1.25, strokeDash=dash, color=colour)
            text = base.mark_text(align="left", baseline="middle", dx=2, color=colour)
            text = text.encode(x=alt.XValue(0), text=alt.Text("title:N"), **self.accuracy("label_at"))
            charts += [rule.encode(**self.accuracy()), text]
        return charts

    def spread(self, base: alt.Chart) -> list[alt.Chart]:
        """The line of each family; dashed ones for the best and the worst."""
        several = theme.chart([row for row in self.students if "best" in row], **self.marks)
        dashed = several.mark_line(strokeWidth=1, strokeDash=[4, 3], interpolate="monotone")
        dashed = dashed.encode(opacity=theme.spotlight(0.75))
        line = base.mark_line(strokeWidth=2, interpolate="monotone").encode(**self.accuracy())
        return [line, *(dashed.encode(**self.accuracy(end)) for end in ("best", "worst"))]

    def labels(self, base: alt.Chart) -> list[alt.Chart]:
        """Each family's name at the right end of its line, moved apart where lines end close together."""
        last = {row["family"]: row for row in sorted(self.students, key=lambda row: row["parameters"])}
        places = theme.spread([row["accuracy"] for row in last.values()], self.gap)
        largest = max(row["parameters"] for row in self.students)
        rows = [
            {"family": family, "parameters": largest, "label_at": place}
            for family, place in zip(last, places, strict=True)
        ]
        base = theme.chart(rows, text=alt.Text("family:N"), **self.marks, **self.accuracy("label_at"))
        return [base.mark_text(align="left", baseline="middle", dx=12, fontWeight=600)]

    def gaps(self) -> list[alt.Chart]:
        """A vertical bracket for each gap, with its name on its right."""
        charts = []
        for row in gaps(self.table):
            label = [row["name"], f"{row['text']} points at {row['budget']}"]
            row |= {"parameters": budget_parameters(row["budget"]) * BESIDE, "label": label}
            base = theme.chart([row], **self.place())
            text = base.mark_text(align="left", dx=7, dy=-6, color=theme.MUTED, lineHeight=14)
            charts += [*self.bracket(base), text.encode(text=alt.Text("label:N"), **self.accuracy("middle"))]
        return charts


class Rows(Figure):
    """A single budget: a row for each family, the best class at the top."""

    channel, upright, ticks, sizes = "x", "vertical", 8, (70, 2)
    extremes, paper = "thin bars", "rings: published"

    def __init__(self, results: Results, rows: list[dict]) -> None:
        self.families = sorted({row["family"] for row in rows}, key=rank, reverse=True)
        self.frame = {"height": ROW * len(self.families), "right": 12, "top": 24}
        super().__init__(results, rows)
        self.ringed = [row for row in rows if row["arm"] == "logits"]

    def place(self) -> dict:
        axis = alt.Axis(title=None, grid=True, labelFontSize=12, labelColor=theme.INK, labelPadding=8)
        return {"y": alt.Y("family:N", sort=self.families, axis=axis)}

    def references(self) -> list[alt.Chart]:
        accuracy = self.table.mean(ENSEMBLE)
        row = {"accuracy": 100 * accuracy, "title": f"teacher ensemble {percent(accuracy)}"}
        base = theme.chart([row], **self.accuracy())
        text = base.mark_text(align="right", dx=4, color=theme.INK)
        return [
            base.mark_rule(color=theme.INK, strokeWidth=1.25),
            text.encode(y=alt.YValue(-10), text=alt.Text("title:N")),
        ]

    def spread(self, base: alt.Chart) -> list[alt.Chart]:
        """Ticks for the best and the worst."""
        tick = base.mark_tick(orient=self.upright, size=SPREAD, thickness=1.25)
        return [tick.encode(**self.accuracy(end)) for end in ("best", "worst")]

    def labels(self, base: alt.Chart) -> list[alt.Chart]:
        """The accuracy over each point; `diverged` where there is none."""
        diverged = theme.chart([row for row in self.ringed if row["diverged"]], **self.place())
        word = diverged.mark_text(align="left", dx=6, dy=-8, color=theme.MUTED, fontStyle="italic")
        figure = base.mark_text(dy=-14, fontWeight=600)
        return [
            figure.encode(text=alt.Text("text:N"), **self.accuracy()),
            word.encode(x=alt.XValue(0), text=alt.TextValue("diverged")),
        ]

    def gaps(self) -> list[alt.Chart]:
        """The convolutional gap as a bracket under its row; the compression gap named beside its twin."""
        charts = []
        for row in gaps(self.table):
            label = f"{row['name']} {row['text']}"
            base = theme.chart([row | {"label": label}], **self.place())
            if row["name"] == "convolutional gap":
                charts += self.bracket(base, yOffset=BELOW)
                end, beside = "high", {"dy": BELOW + 10}
            else:
                end, beside = "low", {"dx": -8, "dy": -9}
            text = base.mark_text(align="right", color=theme.MUTED, **beside)
            charts.append(text.encode(text=alt.Text("label:N"), **self.accuracy(end)))
        return charts
