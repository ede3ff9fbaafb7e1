"""One model, or the best models of a search, on the test images: what it says, and measures of it."""

import json
from functools import partial
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file

from mimic.data.packed import open_split
from mimic.distill.members import load_ensemble, read_ensemble
from mimic.evaluation import metrics
from mimic.evaluation.translation import translation_accuracy
from mimic.support import messages
from mimic.support.context import Context
from mimic.support.publish import write_json
from mimic.training.models import load_bundle, load_model
from mimic.training.precision import choose_device, prepare
from mimic.training.predict import predict
from mimic.training.recipe import Precision

COPIED = (
    "kind", "name", "family", "budget", "arm", "seed", "parameters", "multiply_adds", "status",
    "validation_accuracy", "epochs", "seconds", "images_per_second", "training_flops",
)  # fmt: skip
Models = list[tuple[dict[str, Any], torch.nn.Module]]


def evaluate(context: Context) -> None:
    """Write measures.json, one row a model, and predictions.safetensors, the test logits_NK of each.

    A diverged model has its row, without measures.
    """
    prepare(context.threads)
    task, device = context.task, choose_device()
    test = open_split(context.folder("data/data"), "test")
    rows, predictions = [], {}
    for row, net in _models(context, test.images_NCHW.shape[-1], device):
        if row["status"] == "finished":
            net = net.to(device).to(memory_format=torch.channels_last)
            # In bf16 one prediction in 300 is another.
            logits_NK = predictions[row["name"]] = _logits(net, "fp32", device, test.images_NCHW)
            logits_of = partial(_logits, net, task.precision, device)
            row |= {
                "accuracy": metrics.accuracy(logits_NK, test.labels_N),
                "nll": metrics.nll(logits_NK, test.labels_N),
                "ece": metrics.ece(logits_NK, test.labels_N, task.evaluation.calibration_bins),
            }
            for pixels in task.evaluation.translations:
                accuracy = translation_accuracy(logits_of, test.images_NCHW, test.labels_N, pixels)
                row[f"accuracy_shift_{pixels}"] = accuracy
            context.progress(messages.evaluated(row["accuracy"]))
        rows.append(row)
    write_json(context.out / "measures.json", rows)
    save_file({**predictions, "labels_N": test.labels_N}, context.out / "predictions.safetensors")


def _logits(
    net: torch.nn.Module, precision: Precision, device: torch.device, images_NCHW: np.ndarray
) -> np.ndarray:
    images = torch.from_numpy(np.ascontiguousarray(images_NCHW))
    return predict(net, images, precision, device).cpu().numpy()


def _models(context: Context, image_size: int, device: torch.device) -> Models:
    """The row, still without measures, and the net of each model that is evaluated here."""
    ((job, folder),) = ((job, folder) for job, folder in context.inputs.items() if job != "data/data")
    match job.partition("/")[0]:
        case "ensemble":
            description = read_ensemble(folder)
            row = {"kind": "ensemble", "name": "ensemble", "family": "ensemble", "status": "finished"}
            for key in ("parameters", "multiply_adds", "seconds", "training_flops"):
                row[key] = sum(record[key] for record in description["records"].values())
            row["validation_accuracy"] = description["trace"][-1]["accuracy"]
            return [(row, load_ensemble(folder, image_size, device))]
        case "selection":
            description = json.loads((folder / "selection.json").read_text(encoding="utf-8"))
            records = {name: description["records"][name] for name in description["averaged"]}
            nets = load_bundle(folder / "best.safetensors", records, image_size)
            models = [(records[name] | {"kind": "trial"}, net) for name, net in nets.items()]
        case _:
            models = [load_model(folder, image_size)]
    return [({key: record[key] for key in COPIED}, net) for record, net in models]
