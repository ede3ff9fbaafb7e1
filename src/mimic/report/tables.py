"""The paper's two tables, and the one that goes beyond it, as rows of cells."""

from dataclasses import dataclass

import pandas as pd

from mimic.core.types import FAMILIES, budget_parameters
from mimic.evaluation.bootstrap import Interval
from mimic.report import published
from mimic.report.accuracies import CONVS, ENSEMBLE, TEACHER, Accuracies, Model
from mimic.report.results import METRICS, Results


@dataclass(frozen=True)
class Entry:
    """An accuracy of ours beside the published one; either may be missing."""

    published: float | None
    accuracy: Interval | None = None
    seeds: int = 0
    diverged: int = 0  # seeds that did not finish


@dataclass(frozen=True)
class Table1Row:
    """A hard-label twin, the student that mimics, and what mimicking gains."""

    family: str
    budget: str
    twin: Entry
    student: Entry
    gain: Entry


@dataclass(frozen=True)
class Table2:
    """Mimic students: families down, budgets across."""

    budgets: list[str]
    rows: dict[str, list[Entry]]
    teacher: Entry
    ensemble: Entry

    @property
    def seeds(self) -> int | None:
        """The seeds of every cell, where all have as many; otherwise None, and each cell tells."""
        found = {entry.seeds for row in self.rows.values() for entry in row if entry.seeds}
        return found.pop() if len(found) == 1 else None


def entry(table: Accuracies, model: Model) -> Entry:
    """What is known of a model."""
    theirs = published.accuracy(model)
    if model not in table.cells:
        return Entry(theirs)
    cell = table.cells[model]
    return Entry(theirs, table.intervals.get(model), cell.seeds, cell.diverged)


def table_1(table: Accuracies) -> list[Table1Row]:
    """The study's twins, or where it has none the paper's, to show what was not run."""
    twins = [(m.family, m.budget) for m in table.cells if m.arm == "labels"]
    if not twins:
        twins = [(family, published.paper()["table_1"]["budget"]) for family in CONVS]
    twins.sort(key=lambda twin: (budget_parameters(twin[1]), FAMILIES.index(twin[0])))
    return [_table_1_row(table, *twin) for twin in twins]


def _table_1_row(table: Accuracies, family: str, budget: str) -> Table1Row:
    twin, student = Model(family, budget, "labels"), Model(family, budget, "logits")
    both = twin in table and student in table
    gain = Entry(published.difference(student, twin), table.difference(student, twin) if both else None)
    return Table1Row(family, budget, entry(table, twin), entry(table, student), gain)


def table_2(table: Accuracies) -> Table2:
    """All families at the study's budgets, and at the paper's where the study has one of those."""
    budgets = set(table.budgets())
    if budgets & set(published.budgets()):
        budgets |= set(published.budgets())
    ordered = sorted(budgets, key=budget_parameters)
    rows = {
        family: [entry(table, Model(family, budget, "logits")) for budget in ordered] for family in FAMILIES
    }
    return Table2(ordered, rows, entry(table, TEACHER), entry(table, ENSEMBLE))


def table_1_frame(rows: list[Table1Row]) -> pd.DataFrame:
    """Table 1 for a program: fractions, one twin a row."""
    return pd.DataFrame(
        {"family": row.family, "budget": row.budget}
        | _fields("twin", row.twin)
        | _fields("student", row.student)
        | {"gain_published": row.gain.published}
        | _bounds("gain", row.gain.accuracy)
        for row in rows
    )


def table_2_frame(table: Table2) -> pd.DataFrame:
    """Table 2 for a program: fractions, one model a row."""
    cells = [
        {"family": family, "budget": budget} | _fields("accuracy", entry)
        for family, row in table.rows.items()
        for budget, entry in zip(table.budgets, row, strict=True)
    ]
    cells.append({"family": "teacher", "budget": None} | _fields("accuracy", table.teacher))
    cells.append({"family": "ensemble", "budget": None} | _fields("accuracy", table.ensemble))
    return pd.DataFrame(cells)


def _fields(name: str, entry: Entry) -> dict:
    return (
        {f"{name}_published": entry.published}
        | _bounds(name, entry.accuracy)
        | {f"{name}_seeds": entry.seeds, f"{name}_diverged": entry.diverged}
    )


def _bounds(name: str, interval: Interval | None) -> dict:
    mean, low, high = (interval.mean, interval.low, interval.high) if interval else (None, None, None)
    return {name: mean, f"{name}_low": low, f"{name}_high": high}


def searches_frame(results: Results) -> pd.DataFrame:
    """Every search for a program, baselines too: fractions of 1, on the validation images."""
    rows = [
        {
            "search": search.name,
            "algorithm": search.algorithm,
            "trials": len(search.trials),
            "best_accuracy": 1 - search.best_error,
            "default_accuracy": 1 - search.default_error,
            "gain": search.gain,
            "diverged": search.diverged,
            "stopped_early": search.stopped_early,
            "saved": search.saved,
            "training_flops": search.flops,
        }
        for search in results.all_searches
    ]
    columns = ["search", "algorithm", "trials", "best_accuracy", "default_accuracy", "gain"]
    columns += ["diverged", "stopped_early", "saved", "training_flops"]
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class BeyondRow:
    """What the evaluation measured, mean over the seeds that finished."""

    model: str
    family: str
    arm: str
    metrics: dict[str, float]
    seeds: int


def beyond(results: Results) -> list[BeyondRow]:
    """The ensemble, the best teacher and every student."""
    columns = [*METRICS, *(column for pixels, column in results.shifts.items() if pixels)]
    singles = [("ensemble", "ensemble"), (results.best_teacher, f"best teacher, {results.best_teacher}")]
    rows = [
        BeyondRow(
            label, results.evaluated.family[name], "", results.evaluated.loc[name, columns].to_dict(), 1
        )
        for name, label in singles
        if name
    ]
    table = results.accuracies
    for arm in ("logits", "labels", "regularised"):
        for model in table.models(arm):
            found = results.finished
            found = found[
                (found.family == model.family) & (found.budget == model.budget) & (found.arm == arm)
            ]
            label = f"{model.family}, {model.budget}"
            rows.append(BeyondRow(label, model.family, arm, found[columns].mean().to_dict(), len(found)))
    return rows
