"""What no job of a study needs any more. Only `mimic clean` removes it."""

from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from mimic.dag.study import Study
from mimic.engine.state import STATE


def old_results(study: Study) -> list[Path]:
    """Folders of the study's results that are no job's: of variants, shards or trials that left it."""
    wanted = {folder for job in study.jobs() for folder in (job.folder, *job.folder.parents)}
    return list(_unwanted(study.folder, wanted))


def _unwanted(folder: Path, wanted: set[Path]) -> Iterator[Path]:
    children = sorted(child for child in folder.glob("*") if child.is_dir() and not child.is_symlink())
    for child in children:
        if child in wanted:
            yield from _unwanted(child, wanted)
        else:
            yield child


def old_state(study: Study) -> list[Path]:
    """Checkpoints of jobs that left the study, and what jobs that were killed left half done."""
    jobs = {job.id for job in study.jobs()}
    state = STATE / study.name
    checkpoints = [path for path in sorted(state.glob("training/*/*")) if _job(path) not in jobs]
    return [path for path in [*checkpoints, *sorted(state.glob("staging/*/*"))] if not _in_use(state, path)]


def _job(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _in_use(state: Path, path: Path) -> bool:
    """Whether a process works on the job, an orphan of a killed snakemake say."""
    lock = state / "locks" / path.parent.name / f"{path.name}.lock"
    if not lock.exists():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True
