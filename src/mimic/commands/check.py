"""`mimic check`: whether a parameter file is right, and what it would run."""

from collections import Counter

from mimic.core import specs
from mimic.core.identity import Keys
from mimic.workflow import open_study


def run(options) -> None:
    """Print the number of jobs of each step, and how many have their result."""
    study = open_study(options.params)
    stale = Counter(job.step for job in specs.stale_jobs(study, Keys()))
    print(f"{options.params}: study {study.name}")
    for step, jobs in Counter(job.step for job in study.jobs()).items():
        print(f"  {step:<11}{jobs:>5} jobs, {jobs - stale[step]} done")
