"""One job of a study: what it is asked, what it reads and what it publishes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mimic.core import tasks

SIDECAR = "job.json"
MODEL_FILES = ("model.safetensors", "validation.safetensors", "history.jsonl", "record.json")
DATA_FILES = ("train.safetensors", "validation.safetensors", "test.safetensors", "data.json")
ENSEMBLE_FILES = ("members.safetensors", "ensemble.json")
EVALUATION_FILES = ("predictions.safetensors", "models.csv")
REPORT_FILES = (
    "report.html",
    "summary.json",
    "claims.json",
    "table1.csv",
    "table2.csv",
    "figure1.csv",
    "curves.csv",
    "searches.csv",
)
PROPOSAL_FILES = ("proposal.json",)
SELECTION_FILES = ("selection.json", "trials.csv", "best.safetensors")

# What a step opens of another's results, where that isn't all of them.
READS = {
    ("proposal", "trial"): ("record.json", "history.jsonl"),
    ("selection", "trial"): ("record.json", "history.jsonl", "model.safetensors"),
    ("student", "selection"): ("selection.json",),
    ("evaluation", "selection"): ("selection.json", "best.safetensors"),
    ("report", "selection"): ("selection.json", "trials.csv"),
}
TEST_FILE = "test.safetensors"  # seen by the evaluation alone


@dataclass(frozen=True)
class Job:
    """One job: a step, what it is applied to, and the files that it publishes."""

    step: str
    name: str
    folder: Path  # where its sidecar lies, and its files unless `outputs` says otherwise
    task: tasks.Task = field(repr=False)
    outputs: dict[str, Path] = field(repr=False)  # what the step calls a file: where it is published
    upstream: tuple["Job", ...] = field(default=(), repr=False)

    @property
    def id(self) -> str:
        return f"{self.step}/{self.name}"

    @property
    def sidecar(self) -> Path:
        return self.folder / SIDECAR

    @property
    def files(self) -> list[Path]:
        """Every file that the job publishes, its sidecar last."""
        return [*self.outputs.values(), self.sidecar]

    def inputs(self, upstream: "Job") -> dict[str, Path]:
        """The files of an upstream job that this one may open: the test images only to evaluate."""
        read = READS.get((self.step, upstream.step), tuple(upstream.outputs))
        hidden = () if self.step == "evaluation" else (TEST_FILE,)
        return {name: upstream.outputs[name] for name in read if name not in hidden}

    @cached_property
    def depth(self) -> int:
        """Jobs on the longest chain that ends here."""
        return 1 + max((job.depth for job in self.upstream), default=0)


def job_in(
    folder: Path,
    step: str,
    name: str,
    task: tasks.Task,
    files: tuple[str, ...],
    upstream: Iterable[Job] = (),
) -> Job:
    """A job that publishes `files` in a folder of its own."""
    return Job(step, name, folder, task, {file: folder / file for file in files}, tuple(upstream))
