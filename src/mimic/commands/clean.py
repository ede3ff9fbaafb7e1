"""`mimic clean`: remove, on request alone, what no job of the study at hand needs."""

import shutil

from mimic.engine import dvc_lock, leftovers, store
from mimic.engine.keys import Keys
from mimic.engine.open_study import open_study
from mimic.engine.run_lock import alone


def run(options) -> None:
    """Remove results and checkpoints of variants that left the study, and stored results of other parameters.

    Other studies keep theirs. Raises MimicError while a snakemake is at work.
    """
    study = open_study(options.params)
    with alone("python -m mimic clean"):
        results, state = leftovers.old_results(study), leftovers.old_state(study)
        for folder in [*results, *state]:
            print(f"{'removing' if options.yes else 'would remove'} {folder}")
            if options.yes:
                shutil.rmtree(folder)
        if not options.yes:
            print("nothing removed; add --yes to remove these and the stored results of other parameters")
            return
        keys = Keys()
        freed = store.discard_except({keys[job] for job in study.jobs()}, study.name)
        print(f"stored earlier results: {freed / 1e6:.0f} MB freed")
        if results and dvc_lock.LOCK.exists():
            print(f"{dvc_lock.LOCK} still holds these results: `dvc repro` or `make record` takes them out")
