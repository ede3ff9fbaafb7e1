"""What a step is given: its task, the files of other jobs, a place for its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Context:
    """One job as its step sees it. Any step can be called by hand with one of these."""

    task: Any  # the typed task of the step
    out: Path  # an empty folder: the step leaves its output files here
    inputs: dict[str, Path] = field(default_factory=dict)  # the folder of each upstream job, by its id
    name: str = ""
    training: Path = Path("training")  # checkpoints and the live record; kept when the job fails
    threads: int = 1
    progress: Callable[[str], None] = print
    identity: dict[str, str] = field(default_factory=dict)  # key, study, step and name, for who watches

    def folder(self, job: str) -> Path:
        """The folder that holds the files of an upstream job such as `data/data`."""
        return self.inputs[job]

    def upstream(self, step: str) -> dict[str, Path]:
        """The folders of all upstream jobs of a step, by name."""
        ids = {tuple(job.split("/", 1)): folder for job, folder in self.inputs.items()}
        return {name: folder for (upstream, name), folder in ids.items() if upstream == step}
