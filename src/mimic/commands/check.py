"""`mimic check`: whether a parameter file is right, and what it would run."""

import json
from collections import Counter

from mimic.engine.keys import Keys
from mimic.engine.open_study import open_study
from mimic.engine.specs import stale_jobs


def run(options) -> None:
    """Print how many jobs each step has and how many are done; with --keys each job's key, as JSON."""
    study, keys = open_study(options.params), Keys()
    if options.keys:
        print(json.dumps({job.id: keys[job] for job in study.jobs()}, indent=1))
        return
    stale = Counter(job.step for job in stale_jobs(study, keys))
    print(f"{options.params}: study {study.name}")
    for step, jobs in Counter(job.step for job in study.jobs()).items():
        print(f"  {step:<11}{jobs:>5} jobs, {jobs - stale[step]} done")
