"""What a Snakemake profile asks of SLURM."""

import re
from pathlib import Path

from mimic.config.strict_yaml import read_yaml
from mimic.support.errors import MimicError

TRAINING = "train_students"  # no other rule asks for more


class Profile:
    """What a Snakemake profile asks of SLURM for a training. Raises MimicError when it can't be read."""

    def __init__(self, path: Path) -> None:
        content = read_yaml(path)
        if not isinstance(content, dict) or content.get("executor") != "slurm":
            raise MimicError(f"{path}: not a profile for SLURM; it must say `executor: slurm`")
        self.path = path
        training = (content.get("set-resources") or {}).get(TRAINING) or {}
        self._resources = (content.get("default-resources") or {}) | training
        self._threads = (content.get("set-threads") or {}).get(TRAINING, 1)
        self.status_command = content.get("slurm-status-command", "sacct")

    def __getitem__(self, resource: str) -> str | None:
        """A resource as text, without the quotes that keep Snakemake from evaluating it."""
        value = self._resources.get(resource)
        return None if value in (None, "", 0) else str(value).strip("'\"")

    def number(self, resource: str) -> int:
        """A resource at the first attempt: the first number of its expression, 0 if there is none."""
        found = re.search(r"\d+", self[resource] or "")
        return int(found.group()) if found else 0

    @property
    def gpu(self) -> str | None:
        """What SLURM calls the GPU that is asked for, e.g. `gpu`, `gpu:a100`, `shard`."""
        if self["gpu"]:
            return f"gpu:{self['gpu_model']}" if self["gpu_model"] else "gpu"
        return re.sub(r":\d+$", "", self["gres"]) if self["gres"] else None

    @property
    def options(self) -> list[str]:
        """sbatch's options for who asks for what, without the time."""
        names = ("slurm_partition", "slurm_account", "qos", "constraint", "gres")
        options = [f"--{name.removeprefix('slurm_')}={self[name]}" for name in names if self[name]]
        if self["gpu"]:
            options.append(f"--gpus={self['gpu_model']}:1" if self["gpu_model"] else "--gpus=1")
        return [*options, f"--cpus-per-task={self._threads}", f"--mem={self.number('mem_mb')}"]
