"""A trained model as files: weights, validation logits, history, record."""

import json
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from mimic.core.errors import MimicError
from mimic.core.publish import write_json
from mimic.core.tasks import StudentTask, TeacherTask
from mimic.nets.build import Net, build, load_weights, save_weights
from mimic.nets.from_task import CHANNELS, layers_of
from mimic.nets.layers import count, multiply_adds
from mimic.training.record import Outcome, Subject, summary, write_history


def make_net(task: TeacherTask | StudentTask, classes: int, image_size: int) -> Net:
    """The net that a task asks for, its weights still to be set."""
    scale = 1.0 if isinstance(task, TeacherTask) else task.student.input_scale
    return build(layers_of(task, classes, image_size), CHANNELS, image_size, scale)


def subject_of(task: TeacherTask | StudentTask, name: str, classes: int, image_size: int) -> Subject:
    """What the record says of the net and of its task."""
    if isinstance(task, TeacherTask):
        identity = {"kind": "teacher", "family": "teacher", "seed": task.teacher.seed}
    else:
        identity = {"kind": "student", "family": task.family, "seed": task.repetition}
        identity |= {"budget": task.budget, "arm": task.arm}
    layers = layers_of(task, classes, image_size)
    return Subject(
        **identity,
        name=name,
        parameters=count(layers, CHANNELS, image_size),
        multiply_adds=multiply_adds(layers, CHANNELS, image_size),
        hyperparameters=task.model_dump(mode="json"),
    )


def write_model(
    folder: Path, net: Net, validation_logits_NK: Tensor, subject: Subject, outcome: Outcome
) -> None:
    """Leave model.safetensors, validation.safetensors, history.jsonl and record.json in `folder`."""
    save_weights(net, folder / "model.safetensors")
    save_file({"logits_NK": validation_logits_NK.cpu().contiguous()}, folder / "validation.safetensors")
    write_history(folder / "history.jsonl", outcome.history)
    write_json(folder / "record.json", summary(subject, outcome))


def read_record(folder: Path) -> dict:
    """The record of a model. Raises MimicError naming the file when it can not be read."""
    path = folder / "record.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MimicError(f"{path}: can not be read ({error}); remove it and run snakemake again") from None


def load_model(folder: Path, classes: int, image_size: int) -> tuple[dict, Net]:
    """The record and the net, in evaluation mode, of a model in `folder`."""
    record = read_record(folder)
    task_type = TeacherTask if record["kind"] == "teacher" else StudentTask
    task = task_type.model_validate_json(json.dumps(record["hyperparameters"]))
    net = make_net(task, classes, image_size)
    load_weights(net, folder / "model.safetensors")
    return record, net.eval()
