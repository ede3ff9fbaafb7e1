"""Every model of a study on the test images: one table, and the predictions behind it."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.numpy import save_file

from mimic.core.publish import atomic_path
from mimic.core.tasks import EvaluationTask
from mimic.data.packed import Split, open_split, read_description
from mimic.distill.members import load_ensemble, read_ensemble
from mimic.evaluation import metrics
from mimic.evaluation.translation import translation_accuracy
from mimic.evaluation.trials import load_trials
from mimic.training.models import load_model
from mimic.training.precision import choose_device, prepare
from mimic.training.predict import predict

COPIED = (
    "kind", "name", "family", "budget", "arm", "seed", "parameters", "multiply_adds", "status",
    "validation_accuracy", "epochs", "seconds", "images_per_second", "training_flops",
)  # fmt: skip


def evaluate_models(
    task: EvaluationTask,
    data: Path,
    teachers: dict[str, Path],
    ensemble: Path,
    students: dict[str, Path],
    selections: dict[str, Path],
    out: Path,
    threads: int,
    progress: Callable[[str], None],
) -> None:
    """Write models.csv, one row a model, and predictions.safetensors, the test logits_NK of each.

    `selections` are the folders of searches, whose best trials get rows of kind `trial`. A diverged model
    has its row, without measures.
    """
    prepare(threads)
    test, classes = open_split(data, "test"), len(read_description(data).classes)
    bench = _Bench(task, test)
    net = load_ensemble(ensemble, classes, bench.image_size, bench.device)
    reference_NK = bench.logits(net, test.images_NCHW)
    predictions = {"ensemble": reference_NK}
    rows = [_ensemble_row(ensemble) | bench.measures(net, reference_NK, reference_NK)]
    models = _models([*teachers.values(), *students.values()], selections.values(), classes, bench.image_size)
    for record, net in models:
        row = {key: record[key] for key in COPIED}
        if record["status"] == "finished":
            net = net.to(bench.device, memory_format=torch.channels_last)
            predictions[record["name"]] = bench.logits(net, test.images_NCHW)
            row |= bench.measures(net, predictions[record["name"]], reference_NK)
        rows.append(row)
        if len(rows) % 10 == 0:
            progress(f"{len(rows)} models")
    with atomic_path(out / "models.csv") as aside:
        pd.DataFrame(rows).to_csv(aside, index=False)
    save_file({**predictions, "labels_N": test.labels_N}, out / "predictions.safetensors")


def _models(
    folders: Iterable[Path], selections: Iterable[Path], classes: int, image_size: int
) -> Iterator[tuple[dict, torch.nn.Module]]:
    """The record and the net of each model, those of a search's best trials last."""
    for folder in folders:
        yield load_model(folder, classes, image_size)
    for selection in selections:
        for record, net in load_trials(selection, classes, image_size):
            yield record | {"kind": "trial"}, net


class _Bench:
    """The test images, and what is measured on them."""

    def __init__(self, task: EvaluationTask, test: Split) -> None:
        self.task, self.test = task, test
        self.device = choose_device()
        self.image_size = test.images_NCHW.shape[-1]

    def logits(self, net: torch.nn.Module, images_NCHW: np.ndarray) -> np.ndarray:
        images = torch.from_numpy(np.ascontiguousarray(images_NCHW))
        return predict(net, images, self.task.precision, self.device).cpu().numpy()

    def measures(
        self, net: torch.nn.Module, logits_NK: np.ndarray, reference_NK: np.ndarray
    ) -> dict[str, float]:
        labels_N, evaluation = self.test.labels_N, self.task.evaluation
        shifts = {
            f"accuracy_shift_{pixels}": translation_accuracy(
                lambda images: self.logits(net, images), self.test.images_NCHW, labels_N, pixels
            )
            for pixels in evaluation.translations
        }
        return {
            "accuracy": metrics.accuracy(logits_NK, labels_N),
            "nll": metrics.nll(logits_NK, labels_N),
            "ece": metrics.ece(logits_NK, labels_N, evaluation.calibration_bins),
            "agreement": metrics.agreement(logits_NK, reference_NK),
            "kl": metrics.kl(logits_NK, reference_NK),
        } | shifts


def _ensemble_row(ensemble: Path) -> dict:
    """What the ensemble's row takes over from its members, teachers or trials of their search."""
    description = read_ensemble(ensemble)
    records = description["records"].values()
    row = {"kind": "ensemble", "name": "ensemble", "family": "ensemble", "status": "finished"}
    summed = ("parameters", "multiply_adds", "seconds", "training_flops")
    row |= {key: sum(record[key] for record in records) for key in summed}
    return row | {"validation_accuracy": description["trace"][-1]["accuracy"]}
