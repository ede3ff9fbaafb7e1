"""The page: one HTML file that needs no other, and no network."""

import base64
import gzip
import json
from typing import NamedTuple

import jinja2
from markupsafe import Markup

import mimic
from mimic.nets.families import STUDENTS
from mimic.report import choices, learnt_page, numerals, published, study_provenance, tables, vega, verdict
from mimic.report.charts import (
    beyond_paper,
    curves,
    figure1,
    figure2,
    hyperparameters,
    palette,
    progress,
    theme,
)
from mimic.report.citation import bibtex
from mimic.report.claims import Answer, Comparison
from mimic.report.methods import methods
from mimic.report.misattributed_claims import misattributed_claims
from mimic.report.results import Results
from mimic.report.student_families import architecture, convolutions
from mimic.search.importance import importance

MARGIN = 0.04  # of the width of a row of comparisons, on either side
FILTERS = "percent plain decimal signed bounds signed_bounds thousands quantity flop duration plural"
TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("mimic.report", "page"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
TEMPLATES.filters |= {name: getattr(numerals, name) for name in FILTERS.split()}


class Section(NamedTuple):
    """A part of the page, as its contents name it."""

    id: str
    title: str
    template: str


SECTIONS = [  # in the order of the page
    Section("study", "Study", "study.html"),
    Section("claims", "Claims", "claims.html"),
    Section("tables", "Tables", "tables.html"),
    Section("beyond", "Beyond", "beyond_paper.html"),
    Section("learnt", "Learnt", "learnt.html"),
    Section("curves", "Curves", "curves.html"),
    Section("ensemble", "Ensemble", "ensemble.html"),
    Section("searches", "Searches", "searches.html"),
    Section("methods", "Methods", "methods.html"),
    Section("choices", "Choices", "choices.html"),
    Section("provenance", "Provenance", "provenance.html"),
    Section("citation", "Citation", "citation.html"),
]


def render(results: Results, answers: list[Answer], specifications: dict[str, dict]) -> str:
    """The report as HTML; `specifications` are its charts."""
    return TEMPLATES.get_template("report.html").render(**_content(results, answers, specifications))


def _content(results: Results, answers: list[Answer], specifications: dict[str, dict]) -> dict:
    students, ran = results.accuracies.models("logits"), set(results.models.family)
    shown = {"searches": bool(results.searches), "learnt": bool(students)}
    found = choices.choices(results.parameters, results.data["counts"])
    return {
        "version": mimic.__version__,
        "colours": Markup(palette.style_sheet()),
        "library": Markup(vega.library()),
        "charts": specifications,
        "packed": _packed(specifications, results.parameters.study),
        "sections": [section for section in SECTIONS if shown.get(section.id, True)],
        "results": results,
        "label": results.label,
        "paper": published.paper(),
        "students": STUDENTS,
        "teacher": results.parameters.teachers.architecture,
        "architecture": architecture,
        "convolutions": convolutions,
        "families": [family for family in STUDENTS if family in ran],
        "further_families": sorted({m.family for m in students} - set(published.paper()["table_2"])),
        "answers": answers,
        "interval_marks": interval_marks,
        "verdict": verdict,
        "misattributed_claims": misattributed_claims(results.accuracies, results.search_comparisons),
        "comparisons": {found.search.name: found for found in results.search_comparisons},
        "tables": tables,
        "has_published": any(published.accuracy(model) is not None for model in students),
        "choices": found,
        "departures": [choice for choice in found if choice.kind == "departs"],
        "methods": methods(results),
        "provenance": study_provenance,
        "bibtex": bibtex(results),
        **(learnt_page.content(results) if students else {}),
    }


def _packed(specifications: dict[str, dict], study: str) -> str:
    """What charts.js draws, as gzipped JSON in base64: with hundreds of searches it is most of the page."""
    content = {"config": theme.CONFIG, "study": study, "specifications": specifications}
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def charts(results: Results) -> dict[str, dict]:
    """The charts of the page but for those of searches: specifications by the name of their place."""
    found = {
        "teacher-error": curves.teacher_curves(results, "validation_error"),
        "teacher-loss": curves.teacher_curves(results, "train_loss"),
        "ensemble": beyond_paper.ensemble_growth(results),
    }
    if results.accuracies.models("logits"):
        found |= {
            "figure-1": figure1.figure_1(results),
            "figure-2": figure2.figure_2(results),
            "cost": beyond_paper.accuracy_over_cost(results),
            "student-error": curves.student_curves(results, "validation_error"),
            "student-loss": curves.student_curves(results, "train_loss"),
        }
        found |= learnt_page.charts(results)
    return found


def search_charts(results: Results) -> dict[str, dict]:
    """The charts of every search."""
    found = {}
    baselines = {comparison.search.name: comparison for comparison in results.search_comparisons}
    for search in results.searches:  # of its hyperparameters the most important stands at the top
        name, label = search.name, results.label
        shares = importance(search.trials.to_dict("records"), search.space)
        names = list(shares or search.space)
        found[f"{name}-progress"] = progress.progress(search, baselines.get(name), label)
        found[f"{name}-coordinates"] = hyperparameters.coordinates(search, names, label)
        if shares:
            found[f"{name}-importance"] = hyperparameters.importances(search, shares, label)
    return found


def interval_marks(comparisons: list[Comparison]) -> list[dict]:
    """All comparisons of a claim on one scale, which shows zero or the limit: percent of the width."""
    rows = [
        {"limit": c.threshold, "published": c.published}
        | {"mean": c.difference.mean, "low": c.difference.low, "high": c.difference.high}
        for c in comparisons
    ]
    numbers = [0.0, *(number for row in rows for number in row.values() if number is not None)]
    low, span = min(numbers), (max(numbers) - min(numbers)) or 1.0

    def place(number: float | None) -> float | None:
        return None if number is None else round(100 * (MARGIN + (1 - 2 * MARGIN) * (number - low) / span), 2)

    return [
        {"comparison": comparison} | {mark: place(number) for mark, number in row.items()}
        for comparison, row in zip(comparisons, rows, strict=True)
    ]
