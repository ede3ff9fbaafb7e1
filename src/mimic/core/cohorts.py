"""Cohorts: jobs that one process may run side by side, and the record that says all of them are done.

A student or trial starves a processor of work and a stream of augmented images of customers, so several
share both. A cohort is no more than that: its members have keys, sidecars and checkpoints of their own,
and their results don't depend on the company they keep. For its members Snakemake is shown one small
record. It holds their keys, and is made from their sidecars wherever it is missing.
"""

from dataclasses import dataclass
from itertools import groupby

from mimic.core.jobs import Job
from mimic.core.study import Study
from mimic.core.tasks import StudentTask

RECORDED = ("proposal", "trial", "selection", "student")  # steps whose jobs Snakemake knows by a record


@dataclass(frozen=True)
class Cohort:
    """Jobs of one step that share a process."""

    members: tuple[Job, ...]

    @property
    def step(self) -> str:
        return self.members[0].step

    @property
    def name(self) -> str:
        """Its first member's, and how many more there are."""
        more = len(self.members) - 1
        return self.members[0].name + (f"-and-{more}" if more else "")

    @property
    def upstream(self) -> list[Job]:
        """Every job upstream of a member, once."""
        return list({job.id: job for member in self.members for job in member.upstream}.values())

    @property
    def depth(self) -> int:
        return max(member.depth for member in self.members)


class Cohorts:
    """The cohorts of a study: a function of its parameters alone."""

    def __init__(self, study: Study) -> None:
        size = study.parameters.cohort
        self._by_step = {step: _divide(study.jobs(step), size) for step in RECORDED}
        self._by_id = {f"{c.step}/{c.name}": c for cohorts in self._by_step.values() for c in cohorts}
        self._of_job = {job.id: c for c in self._by_id.values() for job in c.members}

    def of(self, job: Job) -> Cohort | None:
        """The cohort of a job; None for jobs of steps without cohorts."""
        return self._of_job.get(job.id)

    def named(self, step: str, name: str) -> Cohort:
        """The cohort of `step` called `name`."""
        return self._by_id[f"{step}/{name}"]

    def all(self, step: str | None = None) -> list[Cohort]:
        """Every cohort, or those of one step."""
        return [cohort for cohort in self._by_id.values() if step in (None, cohort.step)]


def _divide(jobs: list[Job], size: int) -> list[Cohort]:
    """Neighbours on the same stream of images, at most `size` together."""
    cohorts = []
    for stream, neighbours in groupby(jobs, key=_stream):
        members, most = tuple(neighbours), size if stream else 1
        cohorts += [Cohort(members[first : first + most]) for first in range(0, len(members), most)]
    return cohorts


def _stream(job: Job) -> tuple | None:
    """What jobs must have in common to be trained together; None for those that are always alone."""
    task = getattr(job.task, "default", job.task)
    if job.step not in ("student", "trial") or not isinstance(task, StudentTask):
        return None
    return job.step, task.batch_size, *(up.id for up in job.upstream)
