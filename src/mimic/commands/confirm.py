"""`mimic confirm`: how each stage of dvc.yaml ends, lest DVC record results under other parameters.

DVC reads params.yaml when a stage has ended. An edit while its jobs ran would be recorded with the results
of the parameters before.
"""

from mimic.core import specs
from mimic.core.dvc_lock import PARAMS
from mimic.core.errors import MimicError
from mimic.core.identity import Keys
from mimic.workflow import open_study


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
