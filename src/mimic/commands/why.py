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
    lines = [f"{job.id} is stale:"]
    for cause in causes[:SHOWN]:
        upstream = f"upstream {' ← '.join(cause.way[1:])}: " if cause.way else ""
        lines.append(f"  {upstream}{cause.text}")
    return lines + ([f"  and {len(causes) - SHOWN} more"] if causes[SHOWN:] else [])


def _of_study(why: Why) -> list[str]:
    jobs, stale = why.study.jobs(), why.stale
    if not stale:
        return [f"study {why.study.name}: all {len(jobs)} jobs are done"]
    affected: dict[str, list[str]] = defaultdict(list)
    for job in stale:
        for cause in why.causes(job):
            if job.step != "report" or len(stale) == 1 or cause.way:  # it shows all parameters: no news
                affected[_root(cause)].append(job.id)
    lines = [f"study {why.study.name}: {len(stale)} of {len(jobs)} jobs are stale"]
    by_number = sorted(affected.items(), key=lambda item: -len(item[1]))
    for root, names in by_number[:SHOWN]:
        some = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if names[NAMED:] else "")
        lines += [f"  {root}", f"    {len(names)} {'job' if len(names) == 1 else 'jobs'}: {some}"]
    return lines + ([f"  and {len(by_number) - SHOWN} more causes"] if by_number[SHOWN:] else [])


def _root(cause: Cause) -> str:
    """A cause that many jobs share, said once."""
    if not cause.text.endswith("missing or unreadable"):
        return cause.text
    return "no result yet" + (f" of {cause.origin.split('/')[0]} jobs upstream" if cause.way else "")
