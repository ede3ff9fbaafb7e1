"""`mimic clean`: remove, on request alone, what no job of the study at hand needs."""

import shutil
from pathlib import Path

from mimic.core import specs, store
from mimic.core.identity import Keys
from mimic.workflow import open_study


def run(options) -> None:
    """Remove results of variants that left the study, stored earlier results and leftovers of killed jobs."""
    study = open_study(options.params)
    keys = Keys()
    wanted = {job.folder for job in study.jobs()}
    steps = [study.folder / step for step in ("teachers", "logits", "students")]
    old = [folder for step in steps for folder in sorted(step.glob("*")) if folder not in wanted]
    staging = specs.STATE / study.name / "staging"
    for folder in [*old, staging]:
        if folder.is_dir():
            _remove(folder, options.yes)
    if options.yes:
        freed = store.discard_except({keys[job] for job in study.jobs()})
        print(f"stored earlier results: {freed / 1e6:.0f} MB freed")
    else:
        print("nothing removed; add --yes to remove these and the stored results of other parameters")


def _remove(folder: Path, really: bool) -> None:
    print(f"{'removing' if really else 'would remove'} {folder}")
    if really:
        shutil.rmtree(folder)
