"""The processes of a study: a cohort's jobs share one, every other job has its own."""

from mimic.dag.cohorts import Cohorts
from mimic.dag.jobs import Job
from mimic.dag.study import Study
from mimic.plan.schedule import Dag

Processes = dict[str, tuple[Job, ...]]  # the jobs of each, by the id of the first


def processes_of(study: Study) -> Processes:
    """The processes, upstream before downstream."""
    cohorts = Cohorts(study)
    groups = (cohort.members if (cohort := cohorts.of(job)) else (job,) for job in study.jobs())
    return {group[0].id: group for group in groups}


def dag_of(processes: Processes) -> Dag:
    """What its jobs wait for, a process waits for."""
    process_of = {job.id: id_ for id_, jobs in processes.items() for job in jobs}
    return {
        id_: tuple({process_of[up.id]: None for job in jobs for up in job.upstream})
        for id_, jobs in processes.items()
    }
