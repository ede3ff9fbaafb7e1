"""The key of a job: everything that its result can depend on.

key(job) = hash(step, name, what its task asks, code of the step, keys of its upstream jobs)
"""

import hashlib
import json

from mimic.dag.jobs import Job
from mimic.dag.steps import STEPS
from mimic.engine import code
from mimic.support.frozen import Frozen, asked


def canonical(value: object) -> object:
    """`value` with 1.0 and 1 made one, as YAML and DVC take them, so that a key can't tell them apart."""
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def digest(value: object) -> str:
    """A 128-bit hexadecimal digest of a JSON value."""
    text = json.dumps(canonical(value), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def code_of(step: str, task: Frozen | None = None) -> dict[str, str]:
    """Digests of all that a job's result can depend on in the package: the modules of its step, those of
    the parts that its task holds, and the report's files.
    """
    modules = code.code(STEPS[step].module)
    for part in code.parts(task, frozenset(modules)):
        modules = modules | code.code(part)
    return modules | (code.files("report") if step == "report" else {})


class Keys:
    """The keys of a study's jobs, and what they hold, each computed once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._held: dict[str, tuple[dict, dict[str, str]]] = {}

    def __getitem__(self, job: Job) -> str:
        if job.id not in self._known:
            upstream = {up.id: self[up] for up in job.upstream}
            self._known[job.id] = digest([job.step, job.name, *self.held(job), upstream])
        return self._known[job.id]

    def held(self, job: Job) -> tuple[dict, dict[str, str]]:
        """What the key holds of the job's task, and of the code."""
        if job.id not in self._held:
            self._held[job.id] = asked(job.task), code_of(job.step, job.task)
        return self._held[job.id]
