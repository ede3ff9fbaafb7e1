"""One job of a study: what it is asked, what it reads and what it publishes."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mimic.dag.steps import SIDECAR, STEPS, Step
from mimic.support.frozen import Frozen

FRONT_PAGE = Path("report.html")  # at the top: the report of the study at hand


@dataclass(frozen=True)
class Job:
    """One job: a step, what it is applied to, and the folder that its files go to."""

    step: str
    name: str
    folder: Path
    task: Frozen = field(repr=False)
    upstream: tuple["Job", ...] = field(default=(), repr=False)

    @property
    def id(self) -> str:
        return f"{self.step}/{self.name}"

    @property
    def rule(self) -> Step:
        return STEPS[self.step]

    @property
    def sidecar(self) -> Path:
        return self.folder / SIDECAR

    @cached_property
    def outputs(self) -> dict[str, Path]:
        """What the step calls a file: where it is published."""
        extra = {"front_page.html": FRONT_PAGE} if self.step == "report" else {}
        return {file: self.folder / file for file in self.rule.files} | extra

    @property
    def files(self) -> list[Path]:
        """Every file that the job publishes, its sidecar last."""
        return [*self.outputs.values(), self.sidecar]

    def inputs(self, upstream: "Job") -> dict[str, Path]:
        """The files of an upstream job that this one may open."""
        return {name: upstream.outputs[name] for name in self.rule.reads[upstream.step]}
