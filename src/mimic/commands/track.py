"""`mimic track`: mirror the study's runs into MLflow, once or until the calling process ends."""

import os
import sys
import time
from pathlib import Path

from mimic import tracking
from mimic.config.reading import read_parameters
from mimic.engine.state import STATE
from mimic.support.durations import duration

NICENESS = 10  # beside trainings


def run(options) -> int:
    """Send what isn't there yet. Exit status 1 when the server can't be reached."""
    name = read_parameters(options.params).study
    results, live = Path("results") / name, STATE / name / "training"

    def progress(text: str) -> None:
        print(f"track: {text}", file=sys.stderr, flush=True)

    if options.follow:
        os.nice(NICENESS)
        tracking.follow(results, live, parent_pid=options.follow, progress=progress)
        progress(f"took {duration(time.process_time())} of a processor")
        return 0
    try:
        progress(str(tracking.track(results, live, progress=progress)))
    except tracking.StoreError as error:
        progress(f"{error}; `python -m mimic track` sends the runs later")
        return error.exit_status
    return 0
