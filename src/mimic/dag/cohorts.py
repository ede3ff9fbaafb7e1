"""Cohorts: jobs that one process may run side by side.

A student or trial starves a processor of work and a stream of augmented images of customers, so several
share both. A cohort is no more than that: its members have keys, sidecars and checkpoints of their own,
and their results don't depend on the company they keep.
"""

from dataclasses import dataclass
from itertools import groupby

from mimic.dag.jobs import Job
from mimic.dag.steps import STEPS
from mimic.dag.study import Study
from mimic.training.recipe import StudentTask


@dataclass(frozen=True)
class Cohort:
    """Jobs of one step that share a process."""

    members: tuple[Job, ...]

    @property
    def step(self) -> str:
        return self.members[0].step

    @property
    def name(self) -> str:
        """Its first member's."""
        return self.members[0].name


class Cohorts:
    """The cohorts of a study: a function of its parameters alone."""

    def __init__(self, study: Study) -> None:
        size = study.parameters.cohort
        shared = [step.name for step in STEPS.values() if step.shared]
        self._by_id = {
            (cohort.step, cohort.name): cohort
            for step in shared
            for cohort in _divide(study.jobs(step), size)
        }
        self._of_job = {job.id: cohort for cohort in self.all() for job in cohort.members}

    def of(self, job: Job) -> Cohort | None:
        """The cohort of a job; None for jobs of steps without cohorts."""
        return self._of_job.get(job.id)

    def named(self, step: str, name: str) -> Cohort:
        """The cohort of `step` whose first member is called `name`."""
        return self._by_id[step, name]

    def all(self) -> list[Cohort]:
        """Every cohort."""
        return list(self._by_id.values())


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
    if not isinstance(task, StudentTask):
        return None
    return job.step, task.batch_size, *(up.id for up in job.upstream)
