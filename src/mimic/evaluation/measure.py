"""One model, or the best models of a search, on the test images: what it says, and measures of it."""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from mimic.data.packed import Split, open_split
from mimic.distill.members import load_ensemble, read_ensemble
from mimic.evaluation import metrics
from mimic.evaluation.protocol import EvaluationTask
from mimic.evaluation.translation import translation_accuracy
from mimic.support import messages
from mimic.support.context import Context
from mimic.support.publish import write_json
from mimic.training.models import load_bundle, load_model
from mimic.training.precision import choose_device, prepare
from mimic.training.predict import predict

COPIED = (
    "kind", "name", "family", "budget", "arm", "seed", "parameters", "multiply_adds", "status",
    "validation_accuracy", "epochs", "seconds", "images_per_second", "training_flops",
)  # fmt: skip
Models = list[tuple[dict, torch.nn.Module]]


def evaluate(context: Context) -> None:
    """Write measures.json, one row a model, and predictions.safetensors, the test logits_NK of each.

    A diverged model has its row, without measures.
    """
    prepare(context.threads)
    test = open_split(context.folder("data/data"), "test")
    bench = _Bench(context.task, test)
    rows, predictions = [], {}
    for row, net in _models(context, test.images_NCHW.shape[-1], bench.device):
        if row["status"] == "finished":
            net = net.to(bench.device, memory_format=torch.channels_last)
            logits_NK = predictions[row["name"]] = bench.logits(net, test.images_NCHW)
            row |= bench.measures(net, logits_NK)
            context.progress(messages.evaluated(row["accuracy"]))
        rows.append(row)
    write_json(context.out / "measures.json", rows)
    save_file({**predictions, "labels_N": test.labels_N}, context.out / "predictions.safetensors")


def _models(context: Context, image_size: int, device: torch.device) -> Models:
    """The row, still without measures, and the net of each model that is evaluated here."""
    ((job, folder),) = ((job, folder) for job, folder in context.inputs.items() if job != "data/data")
    match job.partition("/")[0]:
        case "ensemble":
            return [(_ensemble_row(folder), load_ensemble(folder, image_size, device))]
        case "selection":
            description = json.loads((folder / "selection.json").read_text(encoding="utf-8"))
            records = {name: description["records"][name] for name in description["averaged"]}
            nets = load_bundle(folder / "best.safetensors", records, image_size)
            return [(_row(records[name] | {"kind": "trial"}), net) for name, net in nets.items()]
        case _:
            record, net = load_model(folder, image_size)
            return [(_row(record), net)]


def _row(record: dict) -> dict:
    return {key: record[key] for key in COPIED}


def _ensemble_row(folder: Path) -> dict:
    """What the ensemble's row takes over from its members, teachers or trials of their search."""
    description = read_ensemble(folder)
    records = description["records"].values()
    row = {"kind": "ensemble", "name": "ensemble", "family": "ensemble", "status": "finished"}
    summed = ("parameters", "multiply_adds", "seconds", "training_flops")
    row |= {key: sum(record[key] for record in records) for key in summed}
    return row | {"validation_accuracy": description["trace"][-1]["accuracy"]}


class _Bench:
    """The test images, and what is measured on them."""

    def __init__(self, task: EvaluationTask, test: Split) -> None:
        self.task, self.test = task, test
        self.device = choose_device()

    def logits(self, net: torch.nn.Module, images_NCHW: np.ndarray) -> np.ndarray:
        images = torch.from_numpy(np.ascontiguousarray(images_NCHW))
        return predict(net, images, self.task.precision, self.device).cpu().numpy()

    def measures(self, net: torch.nn.Module, logits_NK: np.ndarray) -> dict[str, float]:
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
        } | shifts
