"""Trainings whose task is settled only when a search has run: a trial's point, a winner's values.

Their keys hold the search, which may grow and settle on the same again. So a digest of what such a training
was in the end asked to do is kept in the store beside its key, and what was done is not repeated.
"""

from mimic.core import identity, publish
from mimic.core.identity import Sidecar
from mimic.core.specs import STATE, Spec

SETTLED = STATE / "settled"
SETTLING = ("proposal/", "selection/")  # jobs upstream that settle a task


def digest(spec: Spec, task: dict) -> str:
    """What a job does, given its settled `task`: all that its key is made of but the search."""
    upstream = {job: up.key for job, up in spec.upstream.items() if not job.startswith(SETTLING)}
    return identity.digest([spec.step, spec.name, task, spec.code, upstream])


def remember(spec: Spec, settled: str) -> None:
    """Note under which key the settled task was done."""
    publish.write_text(SETTLED / settled, spec.key, durable=False)


def as_before(spec: Spec, settled: str) -> Spec | None:
    """The job under the key with which the settled task was done before."""
    try:
        return spec.model_copy(update={"key": (SETTLED / settled).read_text(encoding="utf-8")})
    except OSError:
        return None


def renewed(record: Sidecar, spec: Spec) -> Sidecar:
    """The sidecar of an earlier result as that of this job."""
    upstream = {job: up.key for job, up in spec.upstream.items()}
    return record.model_copy(update={"key": spec.key, "parameters": spec.task, "upstream": upstream})
