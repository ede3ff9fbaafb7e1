"""A trained model as files: weights, validation logits, history, record. Or several in a bundle."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mimic.data.image_parameters import CHANNELS
from mimic.nets.build import Net, build, load_weights, save_weights, set_weights
from mimic.nets.layers import count, multiply_adds
from mimic.support.errors import MimicError
from mimic.support.publish import write_json
from mimic.training.outcome import Outcome, Subject, summary, write_history
from mimic.training.recipe import ModelTask, TeacherTask, task_of


def make_net(task: ModelTask, image_size: int) -> Net:
    """The net that a task asks for, its weights still to be set."""
    scale = 1.0 if isinstance(task, TeacherTask) else task.student.input_scale
    return build(task.net, CHANNELS, image_size, scale)


def subject_of(task: ModelTask, name: str, image_size: int) -> Subject:
    """What the record says of the net and of its task."""
    if isinstance(task, TeacherTask):
        identity: dict[str, Any] = {"kind": "teacher", "family": "teacher", "seed": task.teacher.seed}
    else:
        identity = {"kind": "student", "family": task.family, "seed": task.repetition}
        identity |= {"budget": task.budget, "arm": task.arm}
    return Subject(
        **identity,
        name=name,
        parameters=count(task.net, CHANNELS, image_size),
        multiply_adds=multiply_adds(task.net, CHANNELS, image_size),
        hyperparameters=task.model_dump(mode="json"),
    )


def write_model(
    folder: Path, net: nn.Module, validation_logits_NK: Tensor, subject: Subject, outcome: Outcome
) -> None:
    """Leave model.safetensors, validation.safetensors, history.jsonl and record.json in `folder`."""
    save_weights(net, folder / "model.safetensors")
    save_file({"logits_NK": validation_logits_NK.cpu().contiguous()}, folder / "validation.safetensors")
    write_history(folder / "history.jsonl", outcome.history)
    write_json(folder / "record.json", summary(subject, outcome))


def read_record(folder: Path) -> dict[str, Any]:
    """The record of a model. Raises MimicError naming the file when it can not be read."""
    path = folder / "record.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MimicError(f"{path}: can not be read ({error}); remove it and run snakemake again") from None


def load_model(folder: Path, image_size: int) -> tuple[dict[str, Any], Net]:
    """The record and the net, in evaluation mode, of a model in `folder`."""
    record = read_record(folder)
    net = make_net(task_of(record), image_size)
    load_weights(net, folder / "model.safetensors")
    return record, net.eval()


def write_bundle(path: Path, folders: Mapping[str, Path]) -> None:
    """The weights of several models in one file, so that what follows depends on these models alone."""
    weights = {
        f"{name}/{tensor}": value
        for name, folder in folders.items()
        for tensor, value in load_file(folder / "model.safetensors").items()
    }
    save_file(weights, path)


def load_bundle(path: Path, records: Mapping[str, dict[str, Any]], image_size: int) -> dict[str, Net]:
    """The nets of a bundle that `records` name, in evaluation mode, by name."""
    weights, nets = load_file(path), {}
    for name, record in records.items():
        net, prefix = make_net(task_of(record), image_size), f"{name}/"
        own = {k.removeprefix(prefix): w for k, w in weights.items() if k.startswith(prefix)}
        set_weights(net, own, path)
        nets[name] = net.eval()
    return nets
