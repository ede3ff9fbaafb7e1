"""`mimic confirm`: how each stage of dvc.yaml ends, lest DVC record results under other parameters.

DVC reads params.yaml when a stage has ended. An edit while its jobs ran would be recorded with the results
of the parameters before.
"""

from mimic.engine import specs
from mimic.engine.dvc_lock import PARAMS
from mimic.engine.keys import Keys
from mimic.engine.open_study import open_study
from mimic.report import vega
from mimic.support.errors import MimicError


def run(options) -> None:
    """Raise MimicError when a result below one of the folders isn't of the parameters and code of now."""
    stale = [
        job.id
        for job in specs.stale_jobs(open_study(PARAMS), Keys())
        if any(job.folder.is_relative_to(folder) for folder in options.folders)
    ]
    if stale:
        raise MimicError(
            f"{', '.join(stale)}: not of the parameters and code of now, which were edited while jobs ran; "
            "call `dvc repro` again"
        )
    vega.leave_for_dvc()
