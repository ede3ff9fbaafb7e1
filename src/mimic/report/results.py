"""What a study's jobs have published, as the report shows it."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import sqrt

import numpy as np
import pandas as pd

from mimic.config.parameters import Parameters, budget_parameters
from mimic.engine.sidecar import Sidecar
from mimic.nets.families import STUDENTS
from mimic.report.accuracies import ENSEMBLE, TEACHER, TEACHERS, Accuracies, Cell, Model
from mimic.report.search_results import SearchComparison, SearchResult, compare_searches

RISING = 0.002  # validation accuracy gained over the last tenth of the epochs: not converged (ours)


def exemplars(evaluated: pd.DataFrame) -> dict[str, str]:
    """Of each family the first seed that finished of the largest student that mimics."""
    students = evaluated.query("kind == 'student' and arm == 'logits' and status == 'finished'")
    ordered = students.assign(size=students.budget.map(budget_parameters)).sort_values(["size", "seed"])
    largest = ordered[ordered["size"] == ordered.groupby("family")["size"].transform("max")]
    names = largest.groupby("family").name.first()
    return {family: names[family] for family in STUDENTS if family in names}


@dataclass(frozen=True)
class Predictions:
    """What a model says of the test images."""

    class_N: np.ndarray
    confidence_N: np.ndarray  # the probability of that class


@dataclass(frozen=True)
class Results:
    """Everything that the report shows."""

    parameters: Parameters
    data: dict  # data.json
    ensemble: dict  # ensemble.json
    evaluated: pd.DataFrame  # rows of models.csv, indexed by name
    labels_N: np.ndarray  # of the test images
    predictions: dict[str, Predictions]  # of each finished model
    pictures: dict[str, dict[str, np.ndarray]]  # pictures.safetensors of the exemplars
    histories: pd.DataFrame  # name and the columns of history.jsonl, an epoch a row
    all_searches: list[SearchResult]  # baselines among them
    sidecars: list[Sidecar]

    @property
    def label(self) -> str:
        """What the data are called wherever a result is shown."""
        return self.parameters.data.label

    @cached_property
    def correct(self) -> dict[str, np.ndarray]:
        """Which test images each finished model gets right."""
        return {name: said.class_N == self.labels_N for name, said in self.predictions.items()}

    @cached_property
    def exemplars(self) -> dict[str, str]:
        """One net of each family, by its name: what they have learnt is shown in pictures."""
        return exemplars(self.evaluated)

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

    @cached_property
    def finished(self) -> pd.DataFrame:
        return self.models[self.models.status == "finished"]

    @cached_property
    def _seeds(self) -> dict[Model, pd.DataFrame]:
        return {Model(*key): rows for key, rows in self.finished.groupby([*Model._fields], sort=False)}

    def seeds(self, model: Model) -> pd.DataFrame:
        """The rows of a student's seeds that finished."""
        return self._seeds.get(model, self.finished[:0])

    @property
    def diverged(self) -> list[str]:
        """The names of models that did not finish."""
        return list(self.models.index[self.models.status != "finished"])

    @cached_property
    def best_teacher(self) -> str | None:
        """The finished teacher, or trial of the teachers' search, that is best on the validation images."""
        teachers = self.evaluated.query("family == 'teacher' and status == 'finished'")
        return None if teachers.empty else teachers.validation_accuracy.idxmax()

    @property
    def shifts(self) -> dict[int, str]:
        """Translations in pixels, and their columns in `models`; 0 is the untouched test set."""
        named = {0: "accuracy"} | {n: f"accuracy_shift_{n}" for n in self.parameters.evaluation.translations}
        return {pixels: name for pixels, name in named.items() if name in self.models}

    @cached_property
    def accuracies(self) -> Accuracies:
        """Outcomes of students up to their seeds, of the ensemble and of the best teacher."""
        students = self.models[self.models.kind == "student"]
        groups = students.groupby([*Model._fields], sort=False)
        trials = {search.model: len(search.trials) for search in self.searches}
        cells = {
            Model(*key): replace(self._cell(group), trials=trials.get(Model(*key), 0))
            for key, group in groups
        }
        cells[ENSEMBLE] = self._cell(self.models.loc[["ensemble"]])
        teachers = self.evaluated.family == "teacher"
        if self.best_teacher:
            cells[TEACHER] = self._cell(self.evaluated.loc[[self.best_teacher]])
            members = self.evaluated.index.isin(self.ensemble["members"])
            cells[TEACHERS] = self._cell(self.evaluated[members if any(members) else teachers])
        return Accuracies(cells, self.parameters.report.confidence)

    @cached_property
    def averaged(self) -> dict[Model, SearchResult]:
        """Students of which Figure 1 shows the best trials: those searched on the students' own schedule."""
        efforts, groups = self.parameters.searches, self.parameters.groups
        searched = {arm: effort for arm, effort in efforts.items() if effort}
        alike = [arm for arm, e in searched.items() if e.schedule in (None, groups[arm].schedule)]
        return {search.model: search for search in self.searches if search.model.arm in alike}

    @cached_property
    def plotted(self) -> Accuracies:
        """What Figure 1 shows: accuracies of the best trials, as if they were seeds, else of the seeds."""
        trials = {m: self._cell(self.evaluated.loc[found.averaged]) for m, found in self.averaged.items()}
        return Accuracies(self.accuracies.cells | trials, self.parameters.report.confidence)

    def _cell(self, rows: pd.DataFrame) -> Cell:
        finished = rows[rows.status == "finished"]
        images = len(self.correct["ensemble"])
        correct = [self.correct[name] for name in finished.index]
        return Cell(
            correct_SN=np.stack(correct) if correct else np.zeros((0, images), bool),
            validation_accuracy=float(finished.validation_accuracy.mean()),
            diverged=len(rows) - len(finished),
            dead=int(finished.index.isin(self.dead).sum()),
            repetitions=tuple(finished.seed.fillna(1).astype(int)),
            unconverged=int(finished.index.isin(self.unconverged).sum()),
        )

    @cached_property
    def dead(self) -> list[str]:
        """Models that finished at chance: validation accuracy within three standard errors of it."""
        chance, images = 1 / self.parameters.data.classes, self.data["counts"]["validation"]
        limit = chance + 3 * sqrt(chance * (1 - chance) / images)
        return list(self.evaluated.index[self.evaluated.validation_accuracy <= limit])

    @cached_property
    def unconverged(self) -> list[str]:
        """Models that still learnt when they ended: over the last tenth of their epochs the validation error
        fell by more than 0.2 points, in the mean of that tenth against the one before."""
        found = []
        for name, history in self.histories.groupby("name", sort=False):
            tenth = max(1, round(len(history) / 10))
            errors = history.sort_values("epoch").validation_error.to_numpy()
            if len(errors) > tenth and errors[-2 * tenth : -tenth].mean() - errors[-tenth:].mean() > RISING:
                found.append(name)
        return found
