"""The best trials of a search as models."""

import json
from collections.abc import Iterator
from pathlib import Path

from safetensors.torch import load_file

from mimic.core.tasks import StudentTask, TeacherTask
from mimic.nets.build import Net
from mimic.training.models import make_net


def load_trials(selection: Path, classes: int, image_size: int) -> Iterator[tuple[dict, Net]]:
    """The record and the net, in evaluation mode, of each of a search's best, the best first.

    `selection` is a folder with selection.json and best.safetensors.
    """
    description = json.loads((selection / "selection.json").read_text(encoding="utf-8"))
    weights = load_file(selection / "best.safetensors")
    task_type = TeacherTask if description["kind"] == "teacher" else StudentTask
    for name in description["averaged"]:
        record, prefix = description["records"][name], f"{name}/"
        net = make_net(
            task_type.model_validate_json(json.dumps(record["hyperparameters"])), classes, image_size
        )
        net.load_state_dict({k.removeprefix(prefix): w for k, w in weights.items() if k.startswith(prefix)})
        yield record, net.eval()
