"""The paper's two tables, and the one that goes beyond it, as rows of cells."""

from dataclasses import dataclass

import pandas as pd

from mimic.config.parameters import GROUPS, budget_parameters
from mimic.evaluation.bootstrap import Interval
from mimic.nets.families import STUDENTS
from mimic.report import published
from mimic.report.accuracies import ENSEMBLE, TEACHER, Accuracies, Model
from mimic.report.published import CONVS
from mimic.report.results import METRICS, Results
from mimic.report.student_families import rank


@dataclass(frozen=True)
class TableEntry:
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
    twin: TableEntry
    student: TableEntry
    gain: TableEntry


@dataclass(frozen=True)
class Table2:
    """Mimic students: families down, budgets across."""

    budgets: list[str]
    rows: dict[str, list[TableEntry]]
    teacher: TableEntry
    ensemble: TableEntry

    @property
    def seeds(self) -> int | None:
        """The seeds of every cell, where all have as many; otherwise None, and each cell tells."""
        found = {entry.seeds for row in self.rows.values() for entry in row if entry.seeds}
        return found.pop() if len(found) == 1 else None


def table_entry(table: Accuracies, model: Model) -> TableEntry:
    """What is known of a model."""
    theirs = published.accuracy(model)
    if model not in table.cells:
        return TableEntry(theirs)
    cell = table.cells[model]
    return TableEntry(theirs, table.intervals.get(model), cell.seeds, cell.diverged)


def table_1(table: Accuracies) -> list[Table1Row]:
    """The study's twins, or where it has none the paper's, to show what was not run."""
    twins = [(m.family, m.budget) for m in table.cells if m.arm == "labels"]
    if not twins:
        twins = [(family, published.paper()["table_1"]["budget"]) for family in CONVS]
    twins.sort(key=lambda twin: (budget_parameters(twin[1]), rank(twin[0])))
    return [_table_1_row(table, *twin) for twin in twins]


def _table_1_row(table: Accuracies, family: str, budget: str) -> Table1Row:
    twin, student = Model(family, budget, "labels"), Model(family, budget, "logits")
    both = twin in table and student in table
    gain = TableEntry(published.difference(student, twin), table.difference(student, twin) if both else None)
    return Table1Row(family, budget, table_entry(table, twin), table_entry(table, student), gain)


def table_2(table: Accuracies) -> Table2:
    """The families of paper and study, at the study's budgets, and the paper's if it has one of those."""
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
    return Table2(ordered, rows, table_entry(table, TEACHER), table_entry(table, ENSEMBLE))


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


def _fields(name: str, entry: TableEntry) -> dict:
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
    columns = {
        "search": lambda search: search.name,
        "algorithm": lambda search: search.algorithm,
        "trials": lambda search: len(search.trials),
        "best_accuracy": lambda search: 1 - search.best_error,
        "default_accuracy": lambda search: 1 - search.default_error,
        "gain": lambda search: search.gain,
        "diverged": lambda search: search.diverged,
        "stopped_early": lambda search: search.stopped_early,
        "saved": lambda search: search.saved,
        "training_flops": lambda search: search.flops,
    }
    return pd.DataFrame({name: [value(s) for s in results.all_searches] for name, value in columns.items()})


@dataclass(frozen=True)
class Table3Row:
    """What the evaluation measured, mean over the seeds that finished."""

    model: str
    family: str
    arm: str
    metrics: dict[str, float]
    seeds: int


def table_3(results: Results) -> list[Table3Row]:
    """The ensemble, the best teacher and every student."""
    columns = [*METRICS, *(column for pixels, column in results.shifts.items() if pixels)]
    measures, teacher = results.evaluated[columns], results.best_teacher
    rows = [Table3Row("ensemble", "ensemble", "", measures.loc["ensemble"].to_dict(), 1)]
    if teacher:
        rows.append(Table3Row(f"best teacher, {teacher}", "teacher", "", measures.loc[teacher].to_dict(), 1))
    for model in (model for arm in GROUPS for model in results.accuracies.models(arm)):
        means, seeds = results.seeds(model)[columns].mean().to_dict(), results.accuracies.cells[model].seeds
        rows.append(Table3Row(f"{model.family}, {model.budget}", model.family, model.arm, means, seeds))
    return rows
