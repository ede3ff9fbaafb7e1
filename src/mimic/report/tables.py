"""The paper's two tables, and the one that goes beyond it, as rows of cells."""

from dataclasses import dataclass

import pandas as pd

from mimic.config.parameters import GROUPS, budget_parameters
from mimic.evaluation.intervals import Interval
from mimic.nets.families import STUDENTS
from mimic.report import published
from mimic.report.accuracies import ENSEMBLE, TEACHER, Accuracies, Model
from mimic.report.published import CONVS
from mimic.report.results import Results
from mimic.report.student_families import rank


@dataclass(frozen=True)
class TableEntry:
    """An accuracy of ours beside the published one; either may be missing."""

    published: float | None
    accuracy: Interval | None = None
    seeds: int = 0
    diverged: int = 0  # seeds that did not finish


def table_entry(table: Accuracies, model: Model) -> TableEntry:
    """What is known of a model."""
    theirs, cell = published.accuracy(model), table.cells.get(model)
    if cell is None:
        return TableEntry(theirs)
    return TableEntry(theirs, table.intervals.get(model), cell.seeds, cell.diverged)


def table_1(table: Accuracies) -> list[dict]:
    """A hard-label twin a row, the student that mimics, and what mimicking gains.

    The study's twins, or where it has none the paper's, to show what was not run.
    """
    twins = [model for model in table.cells if model.arm == "labels"]
    if not twins:
        twins = [Model(family, published.paper()["table_1"]["budget"], "labels") for family in CONVS]
    rows = []
    for twin in sorted(twins, key=lambda twin: (budget_parameters(twin.budget), rank(twin.family))):
        student = twin._replace(arm="logits")
        difference = table.difference(student, twin) if twin in table and student in table else None
        entries = {"twin": table_entry(table, twin), "student": table_entry(table, student)}
        gain = TableEntry(published.difference(student, twin), difference)
        rows.append({"family": twin.family, "budget": twin.budget, **entries, "gain": gain})
    return rows


def table_2(table: Accuracies) -> dict:
    """Mimic students: families down, budgets across; and their teachers.

    The families of paper and study, at the study's budgets, and the paper's if it has one of those. `seeds`
    are those of every cell, where all have as many; otherwise None, and each cell tells.
    """
    budgets = set(table.budgets())
    if budgets & set(published.budgets()):
        budgets |= set(published.budgets())
    ordered = sorted(budgets, key=budget_parameters)
    shown = {model.family for model in table.cells} | set(published.paper()["table_2"])
    rows = {
        family: [table_entry(table, Model(family, budget, "logits")) for budget in ordered]
        for family in STUDENTS
        if family in shown
    }
    seeds = {entry.seeds for row in rows.values() for entry in row if entry.seeds}
    teachers = {"teacher": table_entry(table, TEACHER), "ensemble": table_entry(table, ENSEMBLE)}
    return {"budgets": ordered, "rows": rows, **teachers, "seeds": seeds.pop() if len(seeds) == 1 else None}


def table_1_frame(table: Accuracies) -> pd.DataFrame:
    """Table 1 for a program: fractions, one twin a row."""
    frame = pd.DataFrame(
        {"family": row["family"], "budget": row["budget"]}
        | _columns("twin", row["twin"])
        | _columns("student", row["student"])
        | _columns("gain", row["gain"])
        for row in table_1(table)
    )
    return frame.drop(columns=["gain_seeds", "gain_diverged"])


def table_2_frame(table: Accuracies) -> pd.DataFrame:
    """Table 2 for a program: fractions, one model a row."""
    found, cells = table_2(table), []
    for family, row in found["rows"].items():
        cells += [(family, *cell) for cell in zip(found["budgets"], row, strict=True)]
    cells += [(name, None, found[name]) for name in ("teacher", "ensemble")]
    return pd.DataFrame(
        {"family": family, "budget": budget} | _columns("accuracy", entry) for family, budget, entry in cells
    )


def _columns(name: str, entry: TableEntry) -> dict:
    found = entry.accuracy or Interval(None, None, None)
    return {
        f"{name}_published": entry.published,
        name: found.mean,
        f"{name}_low": found.low,
        f"{name}_high": found.high,
        f"{name}_seeds": entry.seeds,
        f"{name}_diverged": entry.diverged,
    }


def searches_frame(results: Results) -> pd.DataFrame:
    """Every search for a program, baselines too: fractions of 1, on the validation images."""
    searches = results.all_searches
    return pd.DataFrame(
        {
            "search": [search.name for search in searches],
            "algorithm": [search.algorithm for search in searches],
            "trials": [len(search.trials) for search in searches],
            "best_accuracy": [1 - search.best.validation_error for search in searches],
            "default_accuracy": [1 - search.default.validation_error for search in searches],
            "gain": [search.gain for search in searches],
            "diverged": [search.diverged for search in searches],
            "stopped_early": [search.stopped_early for search in searches],
            "saved": [search.saved for search in searches],
            "training_flops": [search.flops for search in searches],
        }
    )


def table_3(results: Results) -> list[dict]:
    """What the evaluation measured of the ensemble, the best teacher and every student, mean over seeds."""
    found = [("ensemble", Model("ensemble"), results.models.loc[["ensemble"]])]
    if teacher := results.best_teacher:
        found.append((f"best teacher, {teacher}", Model("teacher"), results.evaluated.loc[[teacher]]))
    for model in (model for arm in GROUPS for model in results.accuracies.models(arm)):
        found.append((f"{model.family}, {model.budget}", model, results.seeds(model)))
    columns = ["nll", "ece", "agreement", "kl", "accuracy_augmented", *results.shifts.values()]
    return [
        {
            "model": name,
            **model._asdict(),
            "seeds": len(nets),
            "unconverged": nets.index.isin(results.unconverged).any(),
            **nets[columns].mean(),
        }
        for name, model, nets in found
    ]
