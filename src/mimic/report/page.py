"""The page: one HTML file that needs no other, and no network."""

import json
from functools import cache
from importlib.resources import files

import jinja2
import vl_convert
from markupsafe import Markup

import mimic
from mimic.core.types import FAMILIES
from mimic.report import choices, hearsay, numerals, origin, published, tables, verdict
from mimic.report.charts import beyond, curves, figure1, hyperparameters, progress, theme
from mimic.report.claims import Answer
from mimic.report.results import METRICS, Results
from mimic.report.searches import Search
from mimic.report.strips import strips
from mimic.search.importance import importance

FOLDER = files("mimic.report") / "page"


def render(results: Results, answers: list[Answer]) -> str:
    """The report as HTML."""
    return _environment().get_template("report.html").render(**_content(results, answers))


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(FOLDER)),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    for name in ("percent", "plain", "decimal", "signed", "bounds", "signed_bounds", "thousands", "quantity"):
        environment.filters[name] = getattr(numerals, name)
    environment.filters |= {"flop": numerals.flop, "duration": numerals.duration, "plural": numerals.plural}
    environment.filters["script_json"] = script_json
    return environment


def _content(results: Results, answers: list[Answer]) -> dict:
    table, models = results.accuracies, results.models
    found = choices.choices(results.parameters, results.data["counts"])
    return {
        "version": mimic.__version__,
        "style": Markup((FOLDER / "style.css").read_text(encoding="utf-8")),
        "library": Markup(_library()),
        "script": Markup((FOLDER / "charts.js").read_text(encoding="utf-8")),
        "charts": {"config": theme.CONFIG, "specifications": _charts(results)},
        "results": results,
        "label": results.label,
        "paper": published.paper(),
        "families": [f for f in FAMILIES if (models.family == f).any()],
        "answers": answers,
        "strips": strips,
        "verdict": verdict.verdict(answers),
        "tally": verdict.tally(answers),
        "key_figures": verdict.key_figures(table),
        "gap": verdict.gap(table),
        "hearsay": hearsay.check_hearsay(table, results.rivals),
        "rivals": {rivals.search.name: rivals for rivals in results.rivals},
        "table_1": tables.table_1(table),
        "table_2": tables.table_2(table),
        "beyond": tables.beyond(results),
        "metrics": METRICS,
        "translation_budget": beyond.translation_budget(results) if table.models("logits") else None,
        "has_published": any(published.accuracy(model) is not None for model in table.models("logits")),
        "choices": found,
        "departures": choices.departures(found),
        "is_cifar10": choices.is_cifar10(results.parameters),
        "origin": origin,
    }


@cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


def _charts(results: Results) -> dict[str, dict]:
    """The specifications by the name of their place on the page."""
    error, loss = ("validation_error", "validation error"), ("train_loss", "training loss")
    charts = {
        "teacher-error": curves.teacher_curves(results, *error),
        "teacher-loss": curves.teacher_curves(results, *loss),
        "ensemble": beyond.ensemble_growth(results),
    }
    if results.accuracies.models("logits"):
        charts |= {
            "figure-1": figure1.figure_1(results),
            "cost": beyond.accuracy_over_cost(results),
            "agreement": beyond.accuracy_over_agreement(results),
            "translation": beyond.accuracy_under_translation(results),
            "student-error": curves.student_curves(results, *error),
            "student-loss": curves.student_curves(results, *loss),
        }
    for search in results.searches:
        charts |= _search_charts(results, search)
    return {name: chart for name, chart in charts.items() if chart}


def _search_charts(results: Results, search: Search) -> dict[str, dict]:
    """The charts of one search: those of its hyperparameters have the most important at the top."""
    shares = importance(search.trials.to_dict("records"), search.space)
    rivals = next((rivals for rivals in results.rivals if rivals.search is search), None)
    charts = {
        f"{search.name}-progress": progress.progress(search, rivals, results.label),
        f"{search.name}-coordinates": hyperparameters.coordinates(
            search, list(shares or search.space), results.label
        ),
    }
    if shares:
        charts[f"{search.name}-importance"] = hyperparameters.importances(search, shares, results.label)
    return charts


def script_json(value: object) -> Markup:
    """JSON that can stand inside a script element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))
