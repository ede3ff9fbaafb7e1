"""Read what a study's jobs have published; only models of the parameters at hand count."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from mimic.config.parameters import Parameters
from mimic.dag.steps import SIDECAR
from mimic.engine.sidecar import Sidecar, read_sidecar
from mimic.report.accuracies import ENSEMBLE, TEACHER, Accuracies, Bootstrap, Cell, Model
from mimic.report.baselines import SearchComparison, compare_searches
from mimic.report.result_files import check_there, read_history, read_json, read_table
from mimic.report.search_results import SearchResult, read_search
from mimic.support.context import Context
from mimic.support.errors import MimicError

COLUMNS = {
    "kind", "name", "family", "budget", "arm", "seed", "parameters", "multiply_adds", "status",
    "validation_accuracy", "accuracy", "nll", "ece", "agreement", "kl", "training_flops",
}  # fmt: skip
METRICS = ("accuracy", "nll", "ece", "agreement", "kl")


@dataclass(frozen=True)
class Results:
    """Everything that the report shows."""

    parameters: Parameters
    data: dict  # data.json
    ensemble: dict  # ensemble.json
    evaluated: pd.DataFrame  # rows of models.csv, indexed by name
    correct: dict[str, np.ndarray]  # finished model: bool [test images]
    histories: pd.DataFrame  # name and the columns of history.jsonl, an epoch a row
    all_searches: list[SearchResult]  # baselines among them
    sidecars: list[Sidecar]

    @property
    def label(self) -> str:
        """What the data are called wherever a result is shown."""
        return self.parameters.data.label

    @cached_property
    def models(self) -> pd.DataFrame:
        """The teachers, the ensemble and the students, without the trials of searches."""
        return self.evaluated[self.evaluated.kind != "trial"]

    @property
    def searches(self) -> list[SearchResult]:
        """The searches that models come from, without the baselines."""
        return [search for search in self.all_searches if not search.is_baseline]

    @cached_property
    def search_comparisons(self) -> list[SearchComparison]:
        """Each search that has a baseline, with it."""
        return compare_searches(self.all_searches)

    @property
    def finished(self) -> pd.DataFrame:
        return self.models[self.models.status == "finished"]

    def seeds(self, model: Model) -> pd.DataFrame:
        """The rows of a student's seeds that finished."""
        found, models = list(model), self.finished
        return models[(models[["family", "budget", "arm"]] == found).all(axis=1)]

    @property
    def diverged(self) -> list[str]:
        """The names of models that did not finish."""
        return [name for name, status in self.models.status.items() if status != "finished"]

    @cached_property
    def best_teacher(self) -> str | None:
        """The finished teacher, or trial of the teachers' search, that is best on the validation images."""
        teachers = self.evaluated[
            (self.evaluated.family == "teacher") & (self.evaluated.status == "finished")
        ]
        return None if teachers.empty else teachers.validation_accuracy.idxmax()

    @property
    def shifts(self) -> dict[int, str]:
        """Translations in pixels, and their columns in `models`; 0 is the untouched test set."""
        named = {pixels: f"accuracy_shift_{pixels}" for pixels in self.parameters.evaluation.translations}
        return {0: "accuracy"} | {pixels: name for pixels, name in named.items() if name in self.models}

    @cached_property
    def accuracies(self) -> Accuracies:
        """Outcomes of students up to their seeds, of the ensemble and of the best teacher."""
        students = self.models[self.models.kind == "student"]
        groups = students.groupby(["family", "budget", "arm"], sort=False)
        cells = {Model(*key): self._cell(group) for key, group in groups}
        cells[ENSEMBLE] = self._cell(self.models.loc[["ensemble"]])
        if self.best_teacher:
            cells[TEACHER] = self._cell(self.evaluated.loc[[self.best_teacher]])
        return Accuracies(cells, self._bootstrap)

    @cached_property
    def averaged(self) -> dict[Model, SearchResult]:
        """Students of which Figure 1 shows the best trials: those searched on the students' own schedule."""
        return {
            search.model: search
            for search in self.searches
            if search.model.arm and self._trained_alike(search.model.arm)
        }

    def _trained_alike(self, arm: str) -> bool:
        trials, students = self.parameters.searches[arm], self.parameters.groups[arm]
        return trials is not None and trials.schedule in (None, students.schedule)

    @cached_property
    def plotted(self) -> Accuracies:
        """What Figure 1 shows: accuracies of the best trials, as if they were seeds, else of the seeds."""
        trials = {m: self._cell(self.evaluated.loc[found.averaged]) for m, found in self.averaged.items()}
        return Accuracies(self.accuracies.cells | trials, self._bootstrap)

    @property
    def _bootstrap(self) -> Bootstrap:
        report = self.parameters.report
        return Bootstrap(report.bootstrap, report.confidence, self.parameters.seed)

    def _cell(self, rows: pd.DataFrame) -> Cell:
        finished = rows[rows.status == "finished"]
        images = len(self.correct["ensemble"])
        correct = [self.correct[name] for name in finished.index]
        correct_SN = np.stack(correct) if correct else np.zeros((0, images), bool)
        return Cell(correct_SN, float(finished.validation_accuracy.mean()), len(rows) - len(finished))


def read_results(context: Context) -> Results:
    """The results upstream of the report. Raises MimicError when a file is missing or lacks a model."""
    teachers, students = context.upstream("teacher"), context.upstream("student")
    searches = [read_search(folder, name) for name, folder in context.upstream("selection").items()]
    trials = [trial for search in searches if not search.is_baseline for trial in search.averaged]
    table = context.folder("comparison/comparison") / "models.csv"
    evaluated = _evaluated(table, [*teachers, "ensemble", *students, *trials])
    finished = evaluated.index[evaluated.status == "finished"]
    return Results(
        parameters=context.task.parameters,
        data=read_json(context.folder("data/data") / "data.json"),
        ensemble=read_json(context.folder("ensemble/ensemble") / "ensemble.json"),
        evaluated=evaluated,
        correct=_correct(context.upstream("evaluation").values(), finished),
        histories=_histories(teachers | students),
        all_searches=searches,
        sidecars=[_sidecar(folder / SIDECAR) for folder in context.inputs.values()],
    )


def _evaluated(path: Path, names: list[str]) -> pd.DataFrame:
    table = read_table(path, COLUMNS, {"budget", "arm", "name"}, "comparison").set_index("name", drop=False)
    if absent := [name for name in names if name not in table.index]:
        raise MimicError(f"{path}: has no row for {absent[0]}; run the comparison again")
    return table.loc[names]


def _correct(evaluations: Iterable[Path], names: Iterable[str]) -> dict[str, np.ndarray]:
    """Which test images each model gets right, from the folders of all evaluations."""
    correct = {}
    for folder in evaluations:
        tensors = load_file(check_there(folder / "predictions.safetensors"))
        labels_N = tensors.pop("labels_N")
        correct |= {name: logits_NK.argmax(axis=1) == labels_N for name, logits_NK in tensors.items()}
    if absent := [name for name in names if name not in correct]:
        raise MimicError(f"{absent[0]}: no evaluation holds its predictions; run the evaluation again")
    return correct


def _histories(folders: dict[str, Path]) -> pd.DataFrame:
    tables = [read_history(folder / "history.jsonl").assign(name=name) for name, folder in folders.items()]
    return pd.concat([table for table in tables if not table.empty], ignore_index=True)


def _sidecar(path: Path) -> Sidecar:
    record = read_sidecar(path)
    if record is None:
        raise MimicError(f"{path}: missing or damaged; run snakemake to make its job again")
    return record
