"""The page: one HTML file that needs no other, and no network."""

import json
from functools import cache
from importlib.resources import files

import jinja2
import vl_convert
from markupsafe import Markup

import mimic
from mimic.nets.families import STUDENTS, teacher
from mimic.report import choices, numerals, published, study_provenance, tables, verdict
from mimic.report.charts import beyond_paper, curves, figure1, hyperparameters, palette, progress, theme
from mimic.report.claims import Answer
from mimic.report.interval_marks import interval_marks
from mimic.report.misattributed_claims import misattributed_claims
from mimic.report.results import METRICS, Results
from mimic.report.search_results import SearchResult
from mimic.report.student_families import architecture, convolutions
from mimic.search.importance import importance

FOLDER = files("mimic.report") / "page"
NUMERALS = "percent plain decimal signed bounds signed_bounds thousands quantity flop duration plural"


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
    environment.filters |= {name: getattr(numerals, name) for name in NUMERALS.split()}
    environment.filters["script_json"] = script_json
    return environment


def _content(results: Results, answers: list[Answer]) -> dict:
    table, models = results.accuracies, results.models
    found = choices.choices(results.parameters, results.data["counts"])
    return {
        "version": mimic.__version__,
        "style": Markup((FOLDER / "style.css").read_text(encoding="utf-8") + palette.style_sheet()),
        "library": Markup(_library()),
        "script": Markup((FOLDER / "charts.js").read_text(encoding="utf-8")),
        "charts": {"config": theme.CONFIG, "specifications": _charts(results)},
        "results": results,
        "label": results.label,
        "paper": published.paper(),
        "architectures": {name: architecture(family) for name, family in STUDENTS.items()},
        "teacher_architecture": architecture(teacher(results.parameters.teachers.batch_normalisation)),
        "convolutions": convolutions,
        "families": [family for family in STUDENTS if (models.family == family).any()],
        "further_families": sorted(
            {m.family for m in table.models("logits")} - set(published.paper()["table_2"])
        ),
        "answers": answers,
        "interval_marks": interval_marks,
        "verdict": verdict.verdict(answers),
        "tally": verdict.tally(answers),
        "key_figures": verdict.key_figures(table),
        "gap": verdict.gap(table),
        "misattributed_claims": misattributed_claims(table, results.search_comparisons),
        "comparisons": {found.search.name: found for found in results.search_comparisons},
        "table_1": tables.table_1(table),
        "table_2": tables.table_2(table),
        "table_3": tables.table_3(results),
        "metrics": METRICS,
        "translation_budget": beyond_paper.translation_budget(results) if table.models("logits") else None,
        "has_published": any(published.accuracy(model) is not None for model in table.models("logits")),
        "choices": found,
        "departures": choices.departures(found),
        "is_cifar10": choices.is_cifar10(results.parameters),
        "provenance": study_provenance,
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
        "ensemble": beyond_paper.ensemble_growth(results),
    }
    if results.accuracies.models("logits"):
        charts |= {
            "figure-1": figure1.figure_1(results),
            "cost": beyond_paper.accuracy_over_cost(results),
            "agreement": beyond_paper.accuracy_over_agreement(results),
            "translation": beyond_paper.accuracy_under_translation(results),
            "student-error": curves.student_curves(results, *error),
            "student-loss": curves.student_curves(results, *loss),
        }
    for search in results.searches:
        charts |= _search_charts(results, search)
    return {name: chart for name, chart in charts.items() if chart}


def _search_charts(results: Results, search: SearchResult) -> dict[str, dict]:
    """The charts of one search: those of its hyperparameters have the most important at the top."""
    shares = importance(search.trials.to_dict("records"), search.space)
    comparison = next((found for found in results.search_comparisons if found.search is search), None)
    charts = {
        f"{search.name}-progress": progress.progress(search, comparison, results.label),
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
