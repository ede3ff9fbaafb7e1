"""What both forms of Figure 1 draw: a row for each model, the two gaps, the page's switches.

A model that was searched for shows the mean of its search's best trials, another the mean of its seeds.
"""

from dataclasses import dataclass

import altair as alt

from mimic.config.parameters import budget_parameters
from mimic.nets.families import STUDENTS
from mimic.report import published
from mimic.report.accuracies import ENSEMBLE, Accuracies, Model
from mimic.report.charts import theme
from mimic.report.claims import gaps_by_budget, twin_pairs
from mimic.report.numerals import bounds, percent, plural, quantity
from mimic.report.results import Results
from mimic.report.student_families import architecture, rank

TICK = 20  # pixels, the mark of a hard-label twin
SPOKEN = alt.Description("spoken:N")  # what a screen reader says of a mark
TOOLTIP = theme.tooltip(
    title="title", ours="this study", paper="published", size="parameters", architecture="architecture"
)


def figure_1_rows(results: Results) -> list[dict]:
    """A row for each student and twin of the study's families that ran or that the paper has. Percent."""
    table = results.plotted
    families = {model.family for model in table.cells} & set(STUDENTS)
    models = {
        Model(family, budget, arm)
        for arm in ("logits", "labels")
        for family in families
        for budget in {*table.budgets("logits"), *table.budgets("labels")}
    }
    known = [model for model in models if model in table.cells or published.accuracy(model) is not None]
    known.sort(key=lambda model: (rank(model.family), budget_parameters(model.budget), model.arm))
    return [_row(results, model) for model in known]


def _row(results: Results, model: Model) -> dict:
    table, theirs = results.plotted, published.accuracy(model)
    title = f"{model.family} {model.budget}" + (", hard labels" if model.arm == "labels" else "")
    row = {
        "family": model.family,
        "budget": model.budget,
        "arm": model.arm,
        "parameters": budget_parameters(model.budget),
        "published": _round(theirs),
        "diverged": table.diverged(model),
        "title": title,
        "paper": percent(theirs),
        "spoken_paper": f"{title}, published: {percent(theirs)}",
        "architecture": architecture(STUDENTS[model.family]),
    }
    if model not in table:
        return row
    interval, members = table.intervals[model], table.cells[model].seeds
    search = results.averaged.get(model)
    of = f"best {members} of {plural(len(search.trials), 'trial')}" if search else plural(members, "seed")
    ours = f"{percent(interval.mean)} {bounds(interval)}, {of}"
    parameters = _parameters(results, model)
    return (
        row
        | _spread(results, model)
        | {
            "parameters": parameters,
            "accuracy": _round(interval.mean),
            "low": _round(interval.low),
            "high": _round(interval.high),
            "seeds": None if search else members,
            "trials": members if search else None,
            "ours": ours,
            "spoken": f"{title}: {ours}",
            "size": quantity(parameters),
        }
    )


def _parameters(results: Results, model: Model) -> int:
    """The mean over the nets that are averaged: those of one budget differ by a few."""
    if model in results.averaged:
        return round(results.evaluated.parameters[results.averaged[model].averaged].mean())
    return round(results.seeds(model).parameters.mean())


def _spread(results: Results, model: Model) -> dict:
    """The test accuracies of the first and the last of the best trials; validation has ranked them."""
    if model not in results.averaged:
        return {}
    accuracies = results.evaluated.accuracy[results.averaged[model].averaged].dropna()
    return {"best": _round(accuracies.iloc[0]), "last": _round(accuracies.iloc[-1])}


def _round(fraction: float | None) -> float | None:
    return None if fraction is None else round(100 * fraction, 3)


@dataclass(frozen=True)
class Gap:
    """A difference between two models that the paper names."""

    name: str
    better: Model
    worse: Model

    def row(self, table: Accuracies) -> dict:
        """Its ends in percent."""
        low, high = (_round(table.mean(model)) for model in (self.worse, self.better))
        return {"family": self.better.family, "low": low, "high": high, "middle": (low + high) / 2}


def gaps(table: Accuracies) -> list[Gap]:
    """The convolutional gap at the smallest budget that shows it, and the largest compression gap."""
    found = []
    if pairs := list(gaps_by_budget(table).values()):
        found.append(Gap("convolutional gap", *pairs[0]))
    if pairs := twin_pairs(table, "labels"):
        widest = max(pairs, key=lambda pair: table.mean(pair[0]) - table.mean(pair[1]))
        found.append(Gap("compression gap", *widest))
    return [gap for gap in found if table.mean(gap.better) > table.mean(gap.worse)]


def domain(results: Results, rows: list[dict]) -> list[float]:
    """Bounds of the accuracy axis in percent, with some air."""
    keys = ("low", "high", "best", "last", "published")
    numbers = [row[key] for row in rows for key in keys if row.get(key) is not None]
    numbers.append(100 * results.accuracies.mean(ENSEMBLE))
    air = max(1.0, 0.06 * (max(numbers) - min(numbers)))
    return [max(0.0, round(min(numbers) - air, 1)), min(100.0, round(max(numbers) + air, 1))]


def with_accuracy(rows: list[dict], arm: str) -> list[dict]:
    """The rows of one arm's models that finished."""
    return [row for row in rows if row["arm"] == arm and "accuracy" in row]


def finish(results: Results, layers: list[alt.Chart], height: int, padding: dict[str, int]) -> dict:
    """The layers as one chart, with the parameters that the page's controls set."""
    chart = alt.layer(*layers).add_params(theme.isolated(), alt.param(name=theme.PUBLISHED, value=True))
    return theme.specification(chart, describe(results), height=height, padding=padding)


def published_rings(rows: list[dict]) -> alt.Chart:
    """The published figure of each row that has one. To be drawn below ours, which then get the pointer."""
    rings = alt.Chart(theme.values(row for row in rows if row["published"] is not None))
    switched_on = f"{theme.PUBLISHED} && ({theme.ISOLATED} === '' || {theme.ISOLATED} === datum.family)"
    return rings.mark_point(filled=False, size=110, strokeWidth=1.3).encode(
        color=theme.colour(),
        opacity=alt.condition(switched_on, alt.value(0.9), alt.value(0)),
        tooltip=theme.tooltip(title="title", paper="published"),
        description="spoken_paper:N",
    )


def describe(results: Results) -> str:
    """What the chart shows, for those who do not see it."""
    table = results.plotted
    worst, *_, best = 2 * sorted(table.models("logits"), key=table.mean)
    return (
        f"Test accuracy over parameters on {results.label}: ensemble {percent(table.mean(ENSEMBLE))}; best "
        f"student {best.family} at {best.budget} {percent(table.mean(best))}, worst {worst.family} at "
        f"{worst.budget} {percent(table.mean(worst))}. Table 2 has every value."
    )
