"""`mimic why`: why a job is stale, or, without one, what makes the study's jobs stale."""

from collections import defaultdict

from mimic.dag.jobs import Job
from mimic.dag.study import Study
from mimic.engine.causes import Cause, Why
from mimic.engine.keys import Keys
from mimic.engine.open_study import open_study
from mimic.support.errors import MimicError

SHOWN = 8  # causes of a job, or of a study
NAMED = 4  # jobs in a list


def run(options) -> None:
    """Print a few lines. Raises MimicError when there is no such job."""
    study = open_study(options.params)
    why = Why(study, Keys())
    print("\n".join(_of_job(why, _job(study, options.job)) if options.job else _of_study(why)))


def _job(study: Study, name: str) -> Job:
    """A job by its id, its folder, or its bare name where that is the only one."""
    wanted = name.removesuffix("/job.json").rstrip("/")
    found = [job for job in study.jobs() if wanted in (job.id, str(job.folder))]
    found = found or [job for job in study.jobs() if job.name == wanted and job.step != "evaluation"]
    if len(found) == 1:
        return found[0]
    if found:
        raise MimicError(f"{name}: several jobs have that name; say {' or '.join(job.id for job in found)}")
    some = ", ".join(job.id for job in study.jobs() if wanted in job.id) or "`mimic check --keys` lists them"
    raise MimicError(f"{name}: no such job in study {study.name}; {some}")


def _of_job(why: Why, job: Job) -> list[str]:
    causes = why.causes(job)
    if not causes:
        return [f"{job.id} is done: its result is of these parameters, this code and these images"]
    lines = [f"{job.id} is stale:", *(f"  {_told(cause)}" for cause in causes[:SHOWN])]
    return lines + ([f"  and {len(causes) - SHOWN} more"] if causes[SHOWN:] else [])


def _told(cause: Cause) -> str:
    if not cause.way:
        return cause.text
    return f"upstream {' ← '.join(cause.way[1:])}: {cause.text}"


def _of_study(why: Why) -> list[str]:
    jobs, stale = why.study.jobs(), why.stale
    if not stale:
        return [f"study {why.study.name}: all {len(jobs)} jobs are done"]
    affected: dict[str, list[str]] = defaultdict(list)
    for job in stale:
        for cause in why.causes(job):
            affected[_root(cause)].append(job.id)
    lines = [f"study {why.study.name}: {len(stale)} of {len(jobs)} jobs are stale"]
    by_number = sorted(affected.items(), key=lambda item: -len(item[1]))
    for root, names in by_number[:SHOWN]:
        lines += [f"  {root}", f"    {len(names)} {'job' if len(names) == 1 else 'jobs'}: {_some(names)}"]
    return lines + ([f"  and {len(by_number) - SHOWN} more causes"] if by_number[SHOWN:] else [])


def _root(cause: Cause) -> str:
    """A cause that many jobs share, said once."""
    if cause.text.endswith("missing or unreadable"):
        return (
            "no result yet"
            if not cause.way
            else f"no result yet of {cause.origin.split('/')[0]} jobs upstream"
        )
    return cause.text


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if names[NAMED:] else "")
