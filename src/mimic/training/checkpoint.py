"""The whole state of a training in one file, written whole or not at all.

safetensors hold the tensors, JSON in the file's metadata everything else. The identity key of the job
says which training a checkpoint belongs to, a digest whether it is intact; any other is no checkpoint.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, uint8

from mimic.support import messages
from mimic.support.publish import atomic_path


@dataclass(frozen=True)
class Checkpoint:
    """What was saved: tensors on the processor, and a state that JSON can hold."""

    tensors: dict[str, Tensor]
    state: dict[str, Any]


def save(path: Path, key: str, tensors: Mapping[str, Tensor], state: dict[str, Any]) -> None:
    """Publish a checkpoint; killed at any instant, `path` holds the one before or this one."""
    packed = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(state, allow_nan=False)
    content = {"key": key, "state": text, "digest": _digest(packed, text)}
    with atomic_path(path) as aside:
        save_file(packed, aside, metadata={"checkpoint": json.dumps(content)})


def load(path: Path, key: str, progress: Callable[[str], None]) -> Checkpoint | None:
    """The checkpoint at `path`, or None, with a word about it, if it is damaged or another training's."""
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            content = json.loads(file.metadata()["checkpoint"])
            if content["key"] != key:
                progress(messages.foreign_checkpoint(path, content["key"]))
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        if content["digest"] != _digest(tensors, content["state"]):
            raise ValueError("its digest differs")
        return Checkpoint(tensors, json.loads(content["state"]))
    except (OSError, SafetensorError, TypeError, KeyError, ValueError) as error:
        progress(messages.damaged_checkpoint(path, error))
        return None


def _digest(tensors: Mapping[str, Tensor], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(uint8).numpy())  # type: ignore[arg-type]
    return digest.hexdigest()
