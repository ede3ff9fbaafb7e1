"""`mimic record`: have DVC version what plain `snakemake` made."""

import subprocess
import sys
from pathlib import Path

from mimic.dag.study import Study
from mimic.engine import dvc_cache, dvc_rwlock, leftovers, specs
from mimic.engine.dvc_lock import LOCK, PARAMS
from mimic.engine.keys import Keys
from mimic.engine.open_study import open_study
from mimic.engine.run_lock import alone
from mimic.engine.sidecar import file_md5, read_sidecar
from mimic.report import vega
from mimic.support.errors import MimicError

NAMED = 10  # results that a refusal names


def run(options) -> int:
    """Record the study of params.yaml in dvc.lock and DVC's cache.

    Raises MimicError when a result is missing, stale or damaged: DVC would record it under today's
    parameters.
    """
    study = open_study(PARAMS)
    with alone("make record"):
        _check(study)
        _check_place(study)
        if healed := dvc_rwlock.heal():
            print(healed)
        for folder in leftovers.old_results(study):
            told = "of no job of the study, recorded all the same; `python -m mimic clean` removes it"
            print(f"{folder}: {told}")
        status = subprocess.run([sys.executable, "-m", "dvc", "commit", "--force"]).returncode
        if status:
            return status
        vega.leave_for_dvc()
    print(f"{LOCK}: holds study {study.name}; commit it with git, share the files with `dvc push`")
    return 0


def _check_place(study: Study) -> None:
    """Raise MimicError where DVC can't work: without git, or with results behind a link out of the folder."""
    here = Path.cwd().resolve()
    has_git = any((folder / ".git").exists() for folder in (here, *here.parents))
    if not has_git and not any(b"no_scm" in text for text in dvc_cache.settings()):
        raise MimicError(
            f"{here}: no git repository, as in a download without history; `git init` first, or have DVC do "
            "without: `dvc config core.no_scm true`"
        )
    if not study.folder.resolve().is_relative_to(here):
        raise MimicError(
            f"{study.folder}: reached by a link out of this folder, which DVC follows none of; keep results "
            "here and DVC's cache on the other disk: `dvc cache dir`, `dvc config cache.type symlink`"
        )


def _check(study: Study) -> None:
    if stale := specs.stale_jobs(study, Keys()):
        more = f" and {len(stale) - NAMED} more" if stale[NAMED:] else ""
        names = ", ".join(job.id for job in stale[:NAMED]) + more
        raise MimicError(f"not recorded: stale or missing: {names}; run `snakemake all` first")
    damaged = []
    for job in study.jobs():
        files = read_sidecar(job.sidecar).files
        damaged += [str(path) for name, path in job.outputs.items() if file_md5(path) != files[name].md5]
    if damaged:
        raise MimicError(f"not recorded: damaged: {', '.join(damaged)}; remove them and run `snakemake all`")
