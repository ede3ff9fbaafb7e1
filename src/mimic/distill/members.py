"""The ensemble as a model: chosen members in one file, and the mean of their logits."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file as load_arrays
from safetensors.torch import load_file, save_file
from torch import Tensor

from mimic.core.errors import MimicError
from mimic.core.parameters import Ensemble
from mimic.core.publish import write_json
from mimic.core.tasks import TeacherTask
from mimic.distill.ensemble import select
from mimic.nets.build import Net
from mimic.training.models import make_net, read_record


def choose_members(
    teachers: dict[str, Path],
    labels_N: np.ndarray,
    parameters: Ensemble,
    out: Path,
    progress: Callable[[str], None],
) -> None:
    """Select among trained teachers on validation images; leave ensemble.json and members.safetensors.

    The members' weights are copied, so that what follows depends on the ensemble alone and not on
    teachers that were passed over. `labels_N` are those of the validation split.
    """
    records = {name: read_record(folder) for name, folder in teachers.items()}
    logits_NK = {name: _validation_logits(folder) for name, folder in teachers.items()}
    diverged = {name for name, record in records.items() if record["status"] != "finished"}
    selection = select(logits_NK, labels_N, parameters.size, parameters.stop_without_gain, diverged)
    steps = zip(selection.members, selection.trace, strict=True)
    description = {
        "members": list(selection.members),
        "trace": [{"member": member} | asdict(score) for member, score in steps],
        "candidates": list(selection.candidates),
        "note": selection.note,
        "records": {name: records[name] for name in selection.members},
    }
    write_json(out / "ensemble.json", description)
    weights = {
        f"{name}/{tensor}": value
        for name in selection.members
        for tensor, value in load_file(teachers[name] / "model.safetensors").items()
    }
    save_file(weights, out / "members.safetensors")
    accuracy = 100 * selection.trace[-1].accuracy
    progress(f"{', '.join(selection.members)}: validation accuracy {accuracy:.2f} %")
    if selection.note:
        progress(selection.note)


def _validation_logits(folder: Path) -> np.ndarray:
    path = folder / "validation.safetensors"
    try:
        return load_arrays(path)["logits_NK"]
    except (OSError, KeyError, SafetensorError) as error:
        raise MimicError(f"{path}: can not be read ({error}); remove it and run snakemake again") from None


class EnsembleNet(torch.nn.Module):
    """The mean of the members' logits, before the softmax (paper, section 2.3)."""

    def __init__(self, members: list[Net]) -> None:
        super().__init__()
        self.members = torch.nn.ModuleList(members)

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """Mean logits_NK, float32, of standardised images."""
        return torch.stack([member(images_NCHW).float() for member in self.members]).mean(dim=0)


def read_ensemble(folder: Path) -> dict:
    """The description in `folder`: members, trace, candidates, note, records."""
    return json.loads((folder / "ensemble.json").read_text(encoding="utf-8"))


def load_ensemble(folder: Path, classes: int, image_size: int, device: torch.device) -> EnsembleNet:
    """The ensemble in `folder`, in evaluation mode, on `device`."""
    description = read_ensemble(folder)
    weights = load_file(folder / "members.safetensors")
    members = []
    for name in description["members"]:
        task = TeacherTask.model_validate_json(json.dumps(description["records"][name]["hyperparameters"]))
        net = make_net(task, classes, image_size)
        prefix = f"{name}/"
        net.load_state_dict({k.removeprefix(prefix): w for k, w in weights.items() if k.startswith(prefix)})
        members.append(net)
    return EnsembleNet(members).to(device, memory_format=torch.channels_last).eval()
