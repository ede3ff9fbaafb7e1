"""The ensemble as a model: chosen members in one file, and the mean of their logits."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file
from torch import Tensor

from mimic.data.packed import open_split
from mimic.distill.ensemble import select
from mimic.nets.build import Net
from mimic.support import messages
from mimic.support.context import Context
from mimic.support.errors import MimicError
from mimic.support.publish import write_json
from mimic.training.models import load_bundle, read_record, write_bundle


def choose_members(context: Context) -> None:
    """Select among trained teachers on validation images; leave ensemble.json and members.safetensors.

    The members' weights are copied, so that what follows depends on the ensemble alone and not on
    teachers that were passed over.
    """
    teachers = context.upstream("teacher") | context.upstream("trial")
    records = {name: read_record(folder) for name, folder in teachers.items()}
    logits_NK = {name: _validation_logits(folder) for name, folder in teachers.items()}
    labels_N = open_split(context.folder("data/data"), "validation").labels_N
    asked = context.task.ensemble
    diverged = {name for name, record in records.items() if record["status"] != "finished"}
    selection = select(logits_NK, labels_N, asked.size, asked.stop_without_gain, diverged)
    description = asdict(selection) | {"mirrored": asked.mirrored}
    description |= {"records": {name: records[name] for name in selection.members}}
    write_json(context.out / "ensemble.json", description)
    write_bundle(context.out / "members.safetensors", {name: teachers[name] for name in selection.members})
    context.progress(messages.ensemble_chosen(list(selection.members), selection.trace[-1].accuracy))
    if selection.note:
        context.progress(selection.note)


def _validation_logits(folder: Path) -> np.ndarray:
    path = folder / "validation.safetensors"
    try:
        return load_file(path)["logits_NK"]
    except (OSError, KeyError, SafetensorError) as error:
        raise MimicError(f"{path}: can not be read ({error}); remove it and run snakemake again") from None


class EnsembleNet(torch.nn.Module):
    """The mean of the members' logits, before the softmax (paper, section 2.3).

    If it is `mirrored`, over each image and its mirror image.
    """

    def __init__(self, members: list[Net], mirrored: bool = False) -> None:
        super().__init__()
        self.members = torch.nn.ModuleList(members)
        self.mirrored = mirrored

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """Mean logits_NK, float32, of standardised images."""
        views = [images_NCHW, images_NCHW.flip(3)] if self.mirrored else [images_NCHW]
        return torch.stack([member(view) for view in views for member in self.members]).mean(dim=0)


def read_ensemble(folder: Path) -> dict[str, Any]:
    """The description in `folder`: members, trace, candidates, note, mirrored, records."""
    return json.loads((folder / "ensemble.json").read_text(encoding="utf-8"))


def load_ensemble(folder: Path, image_size: int, device: torch.device) -> EnsembleNet:
    """The ensemble in `folder`, in evaluation mode, on `device`."""
    description = read_ensemble(folder)
    members = load_bundle(folder / "members.safetensors", description["records"], image_size)
    net = EnsembleNet(list(members.values()), description["mirrored"]).to(device)
    return net.to(memory_format=torch.channels_last).eval()
