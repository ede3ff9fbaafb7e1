"""The report of a study as files: the page, and its tables for programs."""

from dataclasses import asdict
from math import isfinite

import pandas as pd
from altair.utils.schemapi import debug_mode

from mimic.evaluation.intervals import Interval
from mimic.report import learnt, tables
from mimic.report.accuracies import ENSEMBLE, TEACHER
from mimic.report.charts.curves import curves, thin
from mimic.report.charts.figure1_rows import figure_1_rows
from mimic.report.charts.figure2 import figure_2_rows
from mimic.report.claims import Answer, answer_claims
from mimic.report.figures import write_figures
from mimic.report.page import charts, render, search_charts
from mimic.report.read import read_results
from mimic.report.results import Results
from mimic.report.verdict import best_by_depth
from mimic.support.context import Context
from mimic.support.publish import write_json, write_text

ROWS = 25_000  # of curves.csv, which git keeps


def write_report(context: Context) -> None:
    """Write report.html, its copy for the top folder, and its tables for programs.

    Only models of the study's parameters are read; the report shows the provenance of every job upstream.
    Accuracies in the tables are fractions, in the figures' percent; curves.csv leaves out epochs where it
    would have more than ROWS. Raises MimicError when a file is missing or lacks a model.
    """
    results, out = read_results(context), context.out
    answers = answer_claims(results.accuracies)
    with debug_mode(False):  # Altair checks each mark as it is made, which takes most of the time
        figures, searches = charts(results), search_charts(results)
    page = render(results, answers, figures | searches)
    for name in ("report.html", "front_page.html"):
        write_text(out / name, page)
    write_figures(figures, out)
    write_json(out / "summary.json", _summary(results))
    write_json(out / "claims.json", [_claim(answer) for answer in answers])
    frames = {
        "table1.csv": tables.table_1_frame(results.accuracies),
        "table2.csv": tables.table_2_frame(results.accuracies),
        "figure1.csv": pd.DataFrame(figure_1_rows(results)),
        "figure2.csv": pd.DataFrame(figure_2_rows(results)),
        "curves.csv": thin(curves(results), ["name"], ROWS),
        "searches.csv": tables.searches_frame(results),
        "fidelity.csv": learnt.fidelity(results),
        "robustness.csv": learnt.robustness(results),
        "reliability.csv": learnt.reliability(results),
        "confusion.csv": learnt.confusion(results),
        "disputed.csv": learnt.disputed(results),
    }
    for name, frame in frames.items():
        write_text(out / name, frame.to_csv(index=False))


def _summary(results: Results) -> dict[str, float]:
    """Accuracies in percent, as metrics that `dvc metrics` compares: so few that they fit a terminal.

    Those of the page's head, the best student at each number of convolutions (none: `mlp`) and its teachers;
    and the means over all students that mimic and over all hard-label twins, which tell of any that changed.
    """
    table = results.accuracies
    found = {f"conv{depth}" if depth else "mlp": table.mean(m) for depth, m in best_by_depth(table).items()}
    found |= {model.name: table.mean(model) for model in (TEACHER, ENSEMBLE) if model in table}
    for name, arm in (("mimics", "logits"), ("labels", "labels")):
        if models := table.models(arm):
            found[name] = sum(map(table.mean, models)) / len(models)
    return {name: round(100 * accuracy, 2) for name, accuracy in found.items()}


def _claim(answer: Answer) -> dict:
    return {
        "key": answer.claim.key,
        "claim": answer.claim.title,
        "status": answer.status,
        "exploratory": answer.is_exploratory,
        "lost": answer.lost,
        "unconverged": answer.unconverged,
        "rule": answer.claim.rule,
        "text": f"{answer.text} {answer.shortfall}".strip(),
        "comparisons": [
            {"label": c.label, "outcome": c.outcome, **_finite(c.difference)}
            | {"detectable": c.difference.detectable, "threshold": c.threshold, "published": c.published}
            for c in answer.comparisons
        ],
    }


def _finite(interval: Interval) -> dict:
    """As JSON can hold it: without a number of degrees of freedom there are as many as one likes."""
    return asdict(interval) | {"freedom": interval.freedom if isfinite(interval.freedom) else None}
