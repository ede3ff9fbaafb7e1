"""One model, or the best models of a search, on the test images: what it says, and what it has learnt."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from mimic.data.augment import Augmenter
from mimic.data.packed import Split, open_split
from mimic.distill.members import load_ensemble, read_ensemble
from mimic.evaluation import metrics
from mimic.evaluation.filters import first_filters
from mimic.evaluation.protocol import EvaluationTask
from mimic.evaluation.translation import translated
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
DISAGREEMENTS = 8  # images of a student that are kept, on which the ensemble says otherwise (ours)
Models = list[tuple[dict[str, Any], torch.nn.Module]]
Images = torch.Tensor | np.ndarray


def evaluate(context: Context) -> None:
    """Write measures.json, one row a model, and predictions.safetensors, the test logits_NK of each.

    Of teachers and students pictures.safetensors holds the first filters, and of a student the images on
    which it disagrees most with the ensemble, whose evaluation all others follow. A diverged model has its
    row, without measures.
    """
    prepare(context.threads)
    task, device = context.task, choose_device()
    test = open_split(context.folder("data/data"), "test")
    size, reference_NK = test.images_NCHW.shape[-1], _reference(context)
    models = _models(context, size, device)
    finished = [
        (row, net.to(device).to(memory_format=torch.channels_last))
        for row, net in models
        if row["status"] == "finished"
    ]
    predictions, pictures = {}, {}
    for row, net in finished:
        # In bf16 one prediction in 300 is another.
        logits_NK = predictions[row["name"]] = _logits(net, "fp32", device, test.images_NCHW)
        beside_NK = logits_NK if reference_NK is None else reference_NK
        row |= {
            "accuracy": metrics.accuracy(logits_NK, test.labels_N),
            "nll": metrics.nll(logits_NK, test.labels_N),
            "ece": metrics.ece(logits_NK, test.labels_N, task.evaluation.calibration_bins),
            "agreement": metrics.agreement(logits_NK, beside_NK),
            "kl": metrics.kl(logits_NK, beside_NK),
        }
        if row["kind"] in ("teacher", "student") and (filters := first_filters(net, size)) is not None:
            pictures["filters_FCHW"] = filters
        if row["kind"] == "student":
            chosen_D = metrics.disagreements(logits_NK, beside_NK, DISAGREEMENTS)
            pictures |= {"disputed_D": chosen_D, "disputed_DCHW": test.images_NCHW[chosen_D]}
        context.progress(messages.evaluated(row["accuracy"]))
    for view, images_NCHW in _views(test, task, device):
        for row, net in finished:
            viewed_NK = _logits(net, task.precision, device, images_NCHW)
            row[f"accuracy_{view}"] = metrics.accuracy(viewed_NK, test.labels_N)
    write_json(context.out / "measures.json", [row for row, _ in models])
    save_file({**predictions, "labels_N": test.labels_N}, context.out / "predictions.safetensors")
    save_file(pictures, context.out / "pictures.safetensors")


def _views(test: Split, task: EvaluationTask, device: torch.device) -> Iterator[tuple[str, Images]]:
    """The test images otherwise than they are, by the name of the view: the same for every model."""
    for pixels in task.evaluation.translations:
        yield f"shift_{pixels}", translated(test.images_NCHW, pixels, task.seed)
    augment = Augmenter(task.augmentation, test.images_NCHW.shape[-1], device)
    draws_ND = augment.draws(len(test.labels_N), task.seed, "evaluation", 0)
    yield "augmented", augment(torch.from_numpy(test.images_NCHW), draws_ND)


def _logits(
    net: torch.nn.Module, precision: Precision, device: torch.device, images_NCHW: Images
) -> np.ndarray:
    return predict(net, torch.as_tensor(images_NCHW), precision, device).cpu().numpy()


def _reference(context: Context) -> np.ndarray | None:
    """What the ensemble says of the test images, unless it is the ensemble that is measured here."""
    folder = context.inputs.get("evaluation/ensemble")
    return None if folder is None else load_file(folder / "predictions.safetensors")["ensemble"]


def _models(context: Context, image_size: int, device: torch.device) -> Models:
    """The row, still without measures, and the net of each model that is evaluated here."""
    others = ("data/data", "evaluation/ensemble")
    ((job, folder),) = ((job, folder) for job, folder in context.inputs.items() if job not in others)
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
