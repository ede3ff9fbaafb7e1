"""`mimic check`: whether a parameter file is right, and what it would run."""

import json
from collections import Counter

from mimic.data.sources import check_source, image_path
from mimic.engine.keys import Keys
from mimic.engine.open_study import open_study
from mimic.engine.specs import stale_jobs
from mimic.plan.limits import check_limits
from mimic.support.errors import MimicError


def run(options) -> None:
    """Print how many jobs each step has and how many are done; with --keys each job's key, as JSON."""
    study, keys = open_study(options.params), Keys()
    if options.keys:
        print(json.dumps({job.id: keys[job] for job in study.jobs()}, indent=1))
        return
    stale, data = Counter(job.step for job in stale_jobs(study, keys)), study.parameters.data
    notes: list[str] = []
    is_absent = data.path is not None and not data.download and not image_path(data).exists()
    if is_absent and stale["data"]:
        notes.append(f"{data.path} is not here yet; nothing can start before it is")
    else:
        try:
            if stale["data"]:
                check_source(data, notes.append)
            notes += check_limits(study)
        except MimicError as error:
            raise MimicError(f"{options.params}: {error}") from None
    print(f"{options.params}: study {study.name}")
    for step, jobs in Counter(job.step for job in study.jobs()).items():
        print(f"  {step:<11}{jobs:>5} jobs, {jobs - stale[step]} done")
    for note in notes:
        print(f"note: {note}")
