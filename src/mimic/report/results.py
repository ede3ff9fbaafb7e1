"""Read what a study's jobs have published; only models of the parameters at hand count."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from mimic.core.errors import MimicError
from mimic.core.identity import Sidecar, read_sidecar
from mimic.core.parameters import Parameters
from mimic.core.study import student_variants
from mimic.report import rivals
from mimic.report.accuracies import ENSEMBLE, TEACHER, Accuracies, Bootstrap, Cell, Model
from mimic.report.searches import Search, read_searches

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
    all_searches: list[Search]  # baselines among them
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
    def searches(self) -> list[Search]:
        """The searches that models come from, without the baselines."""
        return [search for search in self.all_searches if not search.is_baseline]

    @cached_property
    def rivals(self) -> list[rivals.Rivals]:
        """Each search that has a baseline, with it."""
        return rivals.pair(self.all_searches)

    @property
    def finished(self) -> pd.DataFrame:
        return self.models[self.models.status == "finished"]

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
    def averaged(self) -> dict[Model, Search]:
        """Students of which Figure 1 shows the best trials: those searched on the students' own schedule."""
        return {
            search.model: search
            for search in self.searches
            if search.model.arm and self._trained_alike(search.model.arm)
        }

    def _cell_of(self, search: Search) -> Cell:
        """The best trials as if they were seeds of one model."""
        return self._cell(self.evaluated.loc[search.averaged])

    def _trained_alike(self, arm: str) -> bool:
        trials, students = self.parameters.searches[arm], self.parameters.groups[arm]
        return trials is not None and trials.schedule in (None, students.schedule)

    @cached_property
    def plotted(self) -> Accuracies:
        """The accuracies that Figure 1 shows: of the best trials where there are, else of the seeds."""
        trials = {model: self._cell_of(search) for model, search in self.averaged.items()}
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


def read_results(study_folder: Path, parameters: Parameters, sidecars: Sequence[Path]) -> Results:
    """The published results of a study. Raises MimicError when a file is missing or lacks a model."""
    teachers = list(parameters.teachers.members)
    students = [variant.name for variant in student_variants(parameters)]
    records = [_sidecar(path) for path in sidecars]
    searches = read_searches(list(zip(sidecars, records, strict=True)))
    trials = [trial for search in searches if not search.is_baseline for trial in search.averaged]
    table = study_folder / "evaluation" / "models.csv"
    evaluated = _evaluated(table, [*teachers, "ensemble", *students, *trials])
    finished = evaluated.index[evaluated.status == "finished"]
    folders = {name: study_folder / "teachers" / name for name in teachers}
    folders |= {name: study_folder / "students" / name for name in students}
    return Results(
        parameters=parameters,
        data=_json(study_folder / "data" / "data.json"),
        ensemble=_json(study_folder / "ensemble" / "ensemble.json"),
        evaluated=evaluated,
        correct=_correct(study_folder / "evaluation" / "predictions.safetensors", finished),
        histories=_histories(folders),
        all_searches=searches,
        sidecars=records,
    )


def _evaluated(path: Path, names: list[str]) -> pd.DataFrame:
    _check_there(path)
    table = pd.read_csv(path, dtype={"budget": str, "arm": str, "name": str})
    if lacking := sorted(COLUMNS - set(table.columns)):
        raise MimicError(f"{path}: has no column {lacking[0]}; run the evaluation again")
    table = table.set_index("name", drop=False)
    if absent := [name for name in names if name not in table.index]:
        raise MimicError(f"{path}: has no row for {absent[0]}; run the evaluation again")
    return table.loc[names]


def _correct(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    _check_there(path)
    tensors = load_file(path)
    if absent := [name for name in ("labels_N", *names) if name not in tensors]:
        raise MimicError(f"{path}: has no tensor {absent[0]}; run the evaluation again")
    return {name: tensors[name].argmax(axis=1) == tensors["labels_N"] for name in names}


def _histories(folders: dict[str, Path]) -> pd.DataFrame:
    tables = [_history(folder / "history.jsonl").assign(name=name) for name, folder in folders.items()]
    return pd.concat([table for table in tables if not table.empty], ignore_index=True)


def _history(path: Path) -> pd.DataFrame:
    _check_there(path)
    return pd.DataFrame([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])


def _json(path: Path) -> dict:
    _check_there(path)
    return json.loads(path.read_text(encoding="utf-8"))


def _sidecar(path: Path) -> Sidecar:
    record = read_sidecar(path)
    if record is None:
        raise MimicError(f"{path}: missing or damaged; run snakemake to make its job again")
    return record


def _check_there(path: Path) -> None:
    if not path.is_file():
        raise MimicError(f"{path}: no such file; run snakemake to make it")
