"""Whole studies as their jobs would have left them: plausible figures, no training."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from mimic.config.parameters import Parameters, budget_parameters
from mimic.config.reading import check_parameters
from mimic.dag.jobs import Job
from mimic.dag.steps import ReportTask
from mimic.dag.study import Study, student_variants
from mimic.evaluation.metrics import disagreements
from mimic.nets.families import STUDENTS
from mimic.report import published
from mimic.report.accuracies import Model
from mimic.report.write import write_report
from mimic.search.points import dimensions_of
from mimic.support.context import Context

NETS = ("teacher", "logits", "student", "evaluation")  # steps that run nets
FAMILIES = list(published.paper()["table_2"])
TEACHER = {
    "filters": [76, 126, 148],
    "hidden": 1200,
    "learning_rate": 0.02,
    "momentum": 0.88,
    "weight_decay": 1e-4,
}


RATE = {"low": 0.0013, "high": 0.016, "log": True}
SPACE = {
    "learning_rate": RATE,
    "momentum": {"low": 0.68, "high": 0.97},
    "init_scale": {"low": 0.4, "high": 2},
}
CONV1_SPACE = SPACE | {"widths": {"c": {"low": 20, "high": 120}}}
CONV_SPACE = SPACE | {"widths": {"c1": {"low": 20, "high": 120}}}
TEACHER_SPACE = {
    "learning_rate": {"low": 0.01, "high": 0.05, "log": True},
    "filters": {"group1": {"low": 32, "high": 96}},
    "hidden": {"low": 512, "high": 1536},
    "dropout": {"conv1": {"low": 0.1, "high": 0.3}, "fc1": {"low": 0.2, "high": 0.65}},
    "hsv": {"Dh": {"low": 0.03, "high": 0.11}},
}


def student(family: str) -> dict:
    """A student whose widths meet any budget of the paper."""
    given, ratios = STUDENTS[family].given, STUDENTS[family].widths == "ratios"
    widths = {name: 1.0 if ratios else 600.0 if name == "fc" else 40.0 for name in given}
    return {"learning_rate": 0.005, "momentum": 0.9, "widths": widths}


def space(family: str) -> dict:
    """What is searched for a family."""
    return SPACE if family.startswith("mlp") else CONV1_SPACE if family == "conv1" else CONV_SPACE


DEFAULTS = {"seed": 1, "precision": "bf16", "augmentation": {}, "evaluation": {}, "report": {}}


def paper_parameters() -> Parameters:
    """The paper's whole table: 9 families, 4 budgets, 5 seeds, 18 teachers, and a search for each."""
    budgets = published.budgets()
    convs = ["conv1", "conv2", "conv3", "conv4"]
    spaces = {f: dict.fromkeys(budgets, space(f)) for f in FAMILIES}
    return check_parameters(
        {
            **DEFAULTS,
            "study": "paper",
            "data": {"source": "cifar10", "label": "CIFAR-10", "path": "data/cifar-10", "train": 40_000},
            "teachers": {
                "schedule": {"kind": "patience"},
                "members": {f"t{n}": TEACHER for n in range(1, 19)},
            },
            "ensemble": {},
            "transfer": {},
            "students": {
                "seeds": 5,
                "schedule": {"kind": "patience"},
                "variants": {family: dict.fromkeys(budgets, student(family)) for family in FAMILIES},
            },
            "hard_label_twins": {
                "seeds": 5,
                "schedule": {"kind": "patience"},
                "variants": {family: {"10M": student(family)} for family in convs},
            },
            "dropout_twins": {
                "seeds": 5,
                "schedule": {"kind": "patience"},
                "variants": {family: {"10M": student(family)} for family in ("conv1", "conv3")},
            },
            "weight_decay_twins": {"schedule": {"kind": "patience"}},
            "search": {
                "baseline": "random",
                "teachers": {"trials": 20, "at_once": 10, "space": TEACHER_SPACE},
                "students": {"trials": 20, "at_once": 10, "spaces": spaces},
                "hard_label_twins": {
                    "trials": 20,
                    "at_once": 10,
                    "spaces": {f: {"10M": space(f)} for f in convs},
                },
            },
        },
        "paper",
    )


def with_trials(parameters: Parameters, number: int) -> Parameters:
    """The same study, but each of its searches has so many trials, in two rounds."""
    efforts = {arm: effort for arm, effort in parameters.search if getattr(effort, "trials", 0)}
    changed = {"trials": number, "at_once": number // 2}
    efforts = {arm: effort.model_copy(update=changed) for arm, effort in efforts.items()}
    return parameters.model_copy(update={"search": parameters.search.model_copy(update=efforts)})


@pytest.fixture(scope="session")
def small_parameters() -> Parameters:
    """One budget, one seed, three teachers, one search of two rounds."""
    cycle = {"kind": "one_cycle", "epochs": 8}
    return check_parameters(
        {
            **DEFAULTS,
            "study": "demo",
            "data": {"train": 4000, "validation": 1000, "test": 1000},
            "teachers": {
                "batch_normalisation": True,
                "schedule": cycle,
                "members": {name: TEACHER for name in ("t1", "t2", "t3")},
            },
            "ensemble": {"size": 3},
            "transfer": {"epochs": 8, "epochs_per_shard": 4},
            "students": {
                "schedule": cycle,
                "variants": {
                    f: {"1M": student(f)} for f in ("mlp1", "mlp2", "conv1", "conv2", "conv3", "conv4")
                },
            },
            "hard_label_twins": {
                "schedule": cycle,
                "variants": {f: {"1M": student(f)} for f in ("conv1", "conv3")},
            },
            "dropout_twins": {"schedule": cycle},
            "weight_decay_twins": {"schedule": cycle},
            "search": {
                "baseline": "random",
                "stopping": {"epochs": [2]},
                "students": {"trials": 16, "at_once": 8, "spaces": {"conv2": {"1M": CONV_SPACE}}},
            },
        },
        "demo",
    )


@dataclass(frozen=True)
class FakeStudy:
    """A study's parameters, and the folders of the jobs that its report reads, by job."""

    folder: Path
    parameters: Parameters
    inputs: dict[str, Path]

    def context(self, out: Path = Path()) -> Context:
        """What the report is given."""
        return Context(task=ReportTask(parameters=self.parameters), out=out, inputs=self.inputs)

    def with_parameters(self, **changes) -> "FakeStudy":
        return replace(self, parameters=self.parameters.model_copy(update=changes))

    def copy(self, folder: Path) -> "FakeStudy":
        """The same study in another folder, where a test may damage it."""
        shutil.copytree(self.folder, folder)
        inputs = {job: folder / place.relative_to(self.folder) for job, place in self.inputs.items()}
        return FakeStudy(folder, self.parameters, inputs)


class Writer:
    """Writes the files of every job. Accuracies follow the paper's, images differ in difficulty."""

    def __init__(
        self, root: Path, parameters: Parameters, images: int, epochs: int, diverged: set[str]
    ) -> None:
        self.study = Study(parameters, root=root)
        self.parameters, self.epochs, self.diverged = parameters, epochs, diverged
        self.random, self.noise = np.random.default_rng(1), np.random.default_rng(2)
        self.labels_N = self.random.integers(0, 10, images)
        self.difficulty_N = (np.arange(images) + 0.5) / images
        self.random.shuffle(self.difficulty_N)
        self.rows: list[dict] = []
        self.predictions: dict[str, np.ndarray] = {}
        self.averaged: dict[str, list[str]] = {}  # the best trials of each search

    def write(self) -> FakeStudy:
        teachers = list(self.parameters.teachers.members)
        for name in teachers:
            self._model(
                name,
                Model("teacher"),
                "teacher",
                0.92 + self.random.normal(0, 0.004),
                self.study.folder / "teachers",
            )
        self._row("ensemble", Model("ensemble"), "ensemble", 0.938, 1, "finished")
        for v in student_variants(self.parameters):
            accuracy = self._expected(Model(v.family, v.budget, v.arm))
            model = Model(v.family, v.budget, v.arm)
            self._model(v.name, model, "student", accuracy, self.study.folder / "students", v.repetition)
        self._ensemble(teachers)
        for job in self.study.job("report").upstream:
            if job.step == "selection":
                self._search(job)
        self._evaluations()
        self._data()
        self._sidecars()
        inputs = {job.id: job.folder for job in self.study.job("report").upstream}
        return FakeStudy(self.study.folder, self.parameters, inputs)

    def _expected(self, model: Model) -> float:
        known = published.accuracy(model)
        if known is not None:
            return known
        mimic = published.accuracy(Model(model.family, model.budget, "logits")) or 0.6 + 0.03 * list(
            STUDENTS
        ).index(model.family)
        return mimic - {"logits": 0.0, "labels": 0.025, "dropout": 0.03}[model.arm]

    def _model(self, name, model, kind, accuracy, folder, seed=1) -> None:
        status = "diverged" if name in self.diverged else "finished"
        self._row(name, model, kind, accuracy, seed, status)
        folder = folder / name
        folder.mkdir(parents=True)
        error = (1 - accuracy) * (1 + 1.2 * np.exp(-np.arange(self.epochs) / (self.epochs / 5)))
        error = error * (1 + self.random.normal(0, 0.01, self.epochs))
        lines = [
            {
                "epoch": epoch,
                "train_loss": round(float(12 * value + 2 / epoch), 5),
                "validation_error": round(float(value), 5),
                "validation_loss": round(float(3 * value), 5),
                "learning_rate": 0.005,
                "seconds": 12.1,
                "images_per_second": 3300.0,
            }
            for epoch, value in enumerate(error[: 3 if status == "diverged" else None], start=1)
        ]
        (folder / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def _row(self, name, model, kind, accuracy, seed, status) -> None:
        row = {
            "kind": kind,
            "name": name,
            "family": model.family,
            "budget": model.budget,
            "arm": model.arm,
            "seed": seed,
            "parameters": self._parameters(model),
            "multiply_adds": self._parameters(model) * {"m": 1, "c": 12}.get(model.family[0], 40),
            "status": status,
        }
        if status == "finished":
            correct_N = self._predict(name, accuracy)
            row |= {
                "validation_accuracy": accuracy + self.random.normal(0, 0.002),
                "accuracy": correct_N.mean(),
            }
            row |= {
                "nll": 3 * (1 - accuracy),
                "ece": 0.03,
                "agreement": accuracy + 0.01,
                "kl": 2 * (0.95 - accuracy),
            }
            slope = 0.01 if model.family.startswith("conv") else 0.05
            row |= {
                f"accuracy_shift_{p}": accuracy - slope * p for p in self.parameters.evaluation.translations
            }
            row |= {"accuracy_augmented": accuracy - slope}
            row |= {
                "epochs": self.epochs,
                "seconds": 900.0,
                "images_per_second": 3300.0,
                "training_flops": 6.0 * row["multiply_adds"] * self.parameters.data.train * self.epochs,
            }
        self.rows.append(row)

    def _predict(self, name: str, accuracy: float) -> np.ndarray:
        noisy_N = self.difficulty_N + self.random.normal(0, 0.03, len(self.difficulty_N))
        correct_N = noisy_N <= np.quantile(noisy_N, accuracy)
        predicted_N = np.where(correct_N, self.labels_N, (self.labels_N + 1) % 10)
        self.predictions[name] = np.eye(10, dtype=np.float32)[predicted_N] * 5
        return correct_N

    def _parameters(self, model: Model) -> int:
        return (
            budget_parameters(model.budget) - 713
            if model.budget
            else {"ensemble": 83_400_000}.get(model.family, 5_339_350)
        )

    def _search(self, job: Job) -> None:
        """A search whose second round lies nearer to the best point, if its algorithm learns.

        Its second trial diverges and its fourth is stopped early.
        """
        default, algorithm = job.task.default, job.task.algorithm.kind
        student = hasattr(default, "student")
        model = Model(default.family, default.budget, default.arm) if student else Model("teacher")
        found = dimensions_of(job.task)
        names = [upstream.name for upstream in job.upstream if upstream.step == "trial"]
        units_TH = self.random.random((len(names), len(found)))
        if algorithm == "gp":
            later = len(names) // 2
            units_TH[later:] = 0.6 + (units_TH[later:] - 0.6) * 0.35
        weight_H = 0.5 ** np.arange(len(found))
        error_T = 1 - self._expected(model) + 0.15 * (units_TH - 0.6) ** 2 @ weight_H
        error_T[1] = 0.9
        rows = [
            {
                "trial": name,
                "round": 1 + (number >= len(names) // 2),
                "index": 1 + number % (len(names) // 2),
                "origin": "default" if number == 0 else algorithm,
                "status": "diverged" if number == 1 else "finished",
                "stop": {1: "diverged", 3: "hopeless"}.get(number, "budget"),
                "validation_error": round(float(error_T[number]), 4),
                "validation_loss": None if number == 1 else 0.8,
                "epochs": self.epochs // 4 if number in (1, 3) else self.epochs,
                "seconds": 300.0,
                "training_flops": 1e15 * (0.25 if number in (1, 3) else 1),
                "parameters": self._parameters(model),
            }
            | {d.name: d.from_unit(u) for d, u in zip(found, units_TH[number], strict=True)}
            for number, name in enumerate(names)
        ]
        best = [rows[number] for number in error_T.argsort()[: self.parameters.search.averaged]]
        selection = {
            "search": job.name,
            "algorithm": algorithm,
            "kind": "student" if student else "teacher",
            "family": model.family,
            "budget": model.budget or None,
            "arm": model.arm or None,
            "best": best[0]["trial"],
            "default": names[0],
            "averaged": [row["trial"] for row in best],
            "point": {d.name: best[0][d.name] for d in found},
            "space": {d.name: {"low": d.low, "high": d.high, "log": d.log} for d in found},
        }
        job.folder.mkdir(parents=True)
        job.outputs["selection.json"].write_text(json.dumps(selection))
        pd.DataFrame(rows).to_csv(job.outputs["trials.csv"], index=False)
        if not job.name.endswith("-random"):  # no test image was shown to the trials of a baseline
            self.averaged[job.name] = selection["averaged"]
            for row in best:
                self._row(row["trial"], model, "trial", 1 - row["validation_error"], 0, "finished")

    def _ensemble(self, teachers: list[str]) -> None:
        members = teachers[: self.parameters.ensemble.size]
        trace = [
            {"member": name, "accuracy": 0.925 + 0.015 * (1 - 1 / n), "nll": 0.3 - 0.05 * (1 - 1 / n)}
            for n, name in enumerate(members, start=1)
        ]
        content = {"members": members, "trace": trace, "candidates": teachers, "note": None}
        self._json("ensemble/ensemble.json", content)

    def _evaluations(self) -> None:
        for job in self.study.jobs("evaluation"):
            names = self.averaged.get(job.name, [job.name])
            finished = {name: self.predictions[name] for name in names if name in self.predictions}
            job.folder.mkdir(parents=True)
            save_file({**finished, "labels_N": self.labels_N}, job.folder / "predictions.safetensors")
            save_file(self._pictures(job), job.folder / "pictures.safetensors")
        (folder := self.study.job("comparison").folder).mkdir()
        pd.DataFrame(self.rows).to_csv(folder / "models.csv", index=False)

    def _pictures(self, job: Job) -> dict[str, np.ndarray]:
        """Eight images in dispute of each student, and its filters: noise."""
        if (logits_NK := self.predictions.get(job.name)) is None or job.upstream[1].step != "student":
            return {}
        chosen = disagreements(logits_NK, self.predictions["ensemble"], 8)
        shape = (32, 3, 5, 5) if job.name.startswith("conv") else (32, 3, 32, 32)
        return {
            "filters_FCHW": self.noise.integers(0, 256, shape, np.uint8),
            "disputed_D": chosen,
            "disputed_DCHW": self.noise.integers(0, 256, (len(chosen), 3, 32, 32), np.uint8),
        }

    def _data(self) -> None:
        data = self.parameters.data
        counts = {"train": data.train, "validation": data.validation, "test": len(self.labels_N)}
        classes = [str(n) for n in range(10)]
        self._json(
            "data/data.json",
            {
                "digest": "5e" * 32,
                "source": data.source,
                "classes": classes,
                "image_size": 32,
                "counts": counts,
            },
        )

    def _sidecars(self) -> None:
        for job in self.study.job("report").upstream:
            content = {
                "step": job.step,
                "name": job.name,
                "study": self.study.name,
                "key": job.id.encode().hex()[:32],
                "parameters": {"content": "c0" * 16} if job.step == "data" else {},
                "code": {},
                "upstream": {},
                "files": {},
                "provenance": {
                    "commit": "0123456789abcdef0123456789abcdef01234567",
                    "dirty": job.step == "student",
                    "started": "2026-11-20T10:00:00+00:00",
                    "seconds": 912.5,
                    "host": "node1",
                    "device": "NVIDIA H100" if job.step in NETS else "cpu",
                    "processor": "AMD EPYC 9654",
                    "threads": 8,
                    "slurm_job": None,
                    "versions": {"python": "3.11.9", "torch": "2.14.1", "mimic": "0.1.0"},
                    "peak_memory_mb": 2048,
                },
            }
            job.folder.mkdir(parents=True, exist_ok=True)
            job.sidecar.write_text(json.dumps(content))

    def _json(self, name: str, content: dict) -> None:
        path = self.study.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))


@pytest.fixture(scope="session")
def paper_study(tmp_path_factory: pytest.TempPathFactory) -> FakeStudy:
    """A study of the paper's size."""
    return Writer(tmp_path_factory.mktemp("paper"), paper_parameters(), 2000, 60, set()).write()


@pytest.fixture(scope="session")
def make_study(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Parameters], FakeStudy]:
    """Write a small study of which one student diverged."""

    def make(parameters: Parameters) -> FakeStudy:
        return Writer(tmp_path_factory.mktemp("small"), parameters, 1000, 8, {"conv4-1M-logits-s1"}).write()

    return make


@pytest.fixture(scope="session")
def large_study(tmp_path_factory: pytest.TempPathFactory) -> FakeStudy:
    """The paper's models, from searches of 5,000 trials together, and baselines of as many."""
    parameters = with_trials(paper_parameters(), 122)
    return Writer(tmp_path_factory.mktemp("large"), parameters, 2000, 60, set()).write()


@pytest.fixture(scope="session")
def make_searched(make_study, small_parameters: Parameters) -> Callable[[int], FakeStudy]:
    """The small study, with so many trials in its search."""
    return lambda trials: make_study(with_trials(small_parameters, trials))


@pytest.fixture(scope="session")
def small_study(make_study, small_parameters: Parameters) -> FakeStudy:
    """A study of one budget and one seed; one student diverged."""
    return make_study(small_parameters)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium to look at pages with."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no chromium on this machine")
    return path


def _build(study: FakeStudy, out: Path) -> Path:
    write_report(study.context(out))
    return out


@pytest.fixture(scope="session")
def paper_report(paper_study: FakeStudy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the report on the large study."""
    return _build(paper_study, tmp_path_factory.mktemp("paper-report"))


@pytest.fixture(scope="session")
def small_report(small_study: FakeStudy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the report on the small study."""
    return _build(small_study, tmp_path_factory.mktemp("small-report"))
