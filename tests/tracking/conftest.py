"""A small study's run records, written as training writes them, and MLflow stores to send them to."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from mlflow import MlflowClient

import mimic
from mimic.tracking.mlflow_store import connect

NET = [{"kind": "conv", "filters": 3, "kernel": 5}, {"kind": "relu"}, {"kind": "pool", "size": 2}]
NET += [
    {"kind": "flatten"},
    {"kind": "linear", "units": 4},
    {"kind": "relu"},
    {"kind": "linear", "units": 10},
]
STARTED = "2026-01-02T03:04:05+00:00"


def key_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def asked(kind: str, **hyperparameters: object) -> dict:
    """What a training was asked to do, as the task of a teacher or a student says it."""
    model = {"learning_rate": 0.01, "dropout": {"fc1": 0.25}}
    if kind == "teacher":
        task = {"teacher": model | {"seed": 1}}
    else:
        task = {"family": "conv2", "budget": "1M", "arm": "logits", "repetition": 1, "student": model}
    return task | {"window": [3, 4], "net": NET} | hyperparameters


def history(epochs: range) -> str:
    """Lines of a history; each value tells its epoch."""
    return "".join(
        json.dumps({"epoch": e, "train_loss": 1 / e, "validation_loss": 2 / e, "seconds": 10.0}) + "\n"
        for e in epochs
    )


class Study:
    """Writes the files of a study."""

    def __init__(self, root: Path, name: str = "toy"):
        self.name = name
        self.results = root / "results" / name
        self.live = root / ".mimic" / name / "training"

    def train(
        self, step="student", name="conv2-1M-logits-s1", key="k1", epochs=3, images=None, **result
    ) -> Path:
        """A finished training with its sidecar, on the images with a key."""
        folder = self.results / f"{step}s" / name
        upstream = {"data/data": key_of(images)} if images else None
        self._finish(folder, name, key, epochs, upstream, {"kind": step} | result)
        return folder

    def pack_images(self, key: str) -> None:
        """The images of the study."""
        counts = {"train": 40, "validation": 10, "test": 20}
        files = {f"{split}.safetensors": split for split in counts}
        files["data.json"] = json.dumps({"source": "synthetic", "counts": counts})
        self.publish(self.results / "data", "data", key, files)

    def propose(self, search="conv2-1M-logits", round_=1, key="p1", points=None) -> Path:
        """The proposal of one round; of two points if none are given."""
        folder = self._search(search) / f"r{round_:02d}"
        points = points or [{"learning_rate": 0.01}, {"learning_rate": 0.02}]
        origins = ["default", *["gp"] * (len(points) - 1)]
        proposal = {"algorithm": "gp", "origins": origins, "points": points}
        self.publish(folder, f"{search}-{folder.name}", key, {"proposal.json": json.dumps(proposal)})
        return folder

    def try_out(
        self, search="conv2-1M-logits", round_=1, index=1, key="k1", proposal="p1", epochs=3, **result
    ) -> Path:
        """A finished trial of a search."""
        folder = self._search(search) / f"r{round_:02d}" / f"t{index:02d}"
        upstream = {f"proposal/{search}-r{round_:02d}": key_of(proposal)}
        name = f"{search}-r{round_:02d}-t{index:02d}"
        self._finish(folder, name, key, epochs, upstream, {"kind": "student"} | result)
        return folder

    def select(self, search="conv2-1M-logits", key="s1", trials: dict[str, str] | None = None) -> None:
        """The selection among the trials whose keys are given."""
        upstream = {f"trial/{name}": key_of(value) for name, value in (trials or {}).items()}
        self.publish(self._search(search), search, key, {"selection.json": "{}"}, upstream)

    def _search(self, search: str) -> Path:
        return (
            self.results / ("teachers" if search.startswith("teachers") else "students") / "searches" / search
        )

    def _finish(
        self, folder: Path, name: str, key: str, epochs: int, upstream: dict | None, result: dict
    ) -> None:
        record = {
            "status": "finished",
            "reason": None,
            "name": name,
            "parameters": 1_000_001,
            "multiply_adds": 12_000_000,
            "hyperparameters": asked(result["kind"], **result.pop("hyperparameters", {})),
            "epochs": epochs,
            "best_epoch": epochs,
            "validation_accuracy": 0.8,
            "validation_loss": 0.5,
            "seconds": 10.0 * epochs,
            "images_per_second": 3000.0,
            "training_flops": 1e15,
            "stop": "budget",
        } | result
        files = {"record.json": json.dumps(record), "history.jsonl": history(range(1, epochs + 1))}
        files["model.safetensors"] = name
        self.publish(folder, name, key, files, upstream)

    def publish(self, folder: Path, name: str, key: str, files: dict[str, str], upstream=None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (folder / file).write_text(text)
        sidecar = {
            "step": folder.parent.name,
            "name": name,
            "study": self.name,
            "key": key_of(key),
            "parameters": {},
            "code": {},
            "upstream": upstream or {},
            "files": {
                file: {"md5": hashlib.md5(text.encode()).hexdigest(), "size": len(text)}
                for file, text in files.items()
            },
            "provenance": {
                "commit": "abc123",
                "dirty": True,
                "started": STARTED,
                "seconds": 60.0,
                "slurm_job": "77",
                "host": "h",
            },
        }
        (folder / "job.json").write_text(json.dumps(sidecar))

    def start(self, name="conv2-1M-logits-s1", key="k1", epochs=2, step="student", kind=None) -> Path:
        """A training under way."""
        folder = self.live / step / name
        folder.mkdir(parents=True, exist_ok=True)
        identity = {
            "key": key_of(key),
            "study": self.name,
            "step": step,
            "name": name,
            "hyperparameters": asked(kind or step),
            "parameters": 1_000_001,
            "slurm_job": None,
        }
        (folder / "live.json").write_text(json.dumps(identity))
        (folder / "history.jsonl").write_text(history(range(1, epochs + 1)))
        return folder

    def evaluate(
        self, name: str, accuracy: float | None, key: str, step="student", model=None, by="e1", images=None
    ) -> None:
        """Test metrics of a job of `step`; of `model`, if the job is a selection and this its best trial."""
        row = {"kind": "trial" if model else step, "name": model or name, "family": "conv2", "seed": 1}
        row |= {"validation_accuracy": 0.8, "status": "finished" if accuracy else "diverged"}
        row |= {"accuracy": accuracy, "nll": 0.5, "accuracy_shift_1": 0.7} if accuracy else {}
        folder, upstream = self.results / "evaluation" / name, {f"{step}/{name}": key_of(key)}
        upstream |= {"data/data": key_of(images)} if images else {}
        self.publish(folder, name, by, {"measures.json": json.dumps([row])}, upstream)


class Store:
    """What a user sees of a study in MLflow."""

    def __init__(self, uri: str, study: str = "toy"):
        self.uri, self.study = uri, study
        self.client = MlflowClient(uri)

    def runs(self, key: str | None = None) -> list:
        runs = [run for run in self.all_runs() if run.data.tags.get("mimic.step") != "study"]
        return [run for run in runs if key is None or run.data.tags.get("mimic.key") == key_of(key)]

    def all_runs(self, *names: str) -> list:
        """The runs of some experiments, or of the study's two."""
        names = names or (self.study, f"{self.study}.search")
        found = [self.client.get_experiment_by_name(name) for name in names]
        ids = [experiment.experiment_id for experiment in found if experiment]
        return self.client.search_runs(ids, max_results=1000) if ids else []

    def study_run(self):
        """The run that holds the report."""
        (run,) = [run for run in self.all_runs() if run.data.tags.get("mimic.step") == "study"]
        return run

    def run(self, key: str = "k1"):
        (run,) = self.runs(key)
        return run

    def points(self, run, metric: str) -> list[tuple[int, float]]:
        """All points of a metric, doubles included."""
        points = self.client.get_metric_history(run.info.run_id, metric)
        return sorted((point.step, point.value) for point in points)


@pytest.fixture
def study(tmp_path) -> Study:
    return Study(tmp_path)


@pytest.fixture
def make_study(tmp_path) -> Callable[..., Study]:
    return lambda name, root=tmp_path: Study(root, name)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory) -> Path:
    """A prepared SQLite file, to be copied: preparing one takes seconds."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    connect(f"sqlite:///{path}")
    return path


@pytest.fixture
def store(empty_store, tmp_path) -> Store:
    copy = tmp_path / "mlflow.db"
    shutil.copy(empty_store, copy)
    return Store(f"sqlite:///{copy}")


@pytest.fixture
def open_store() -> type[Store]:
    return Store


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts Python code with arguments as a process group of its own, which does not outlive the test."""
    groups = []

    def start_code(code: str, *arguments: object) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            env=os.environ | {"PYTHONPATH": str(Path(mimic.__file__).parents[1])},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        groups.append(process)
        return process

    yield start_code
    for process in groups:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
