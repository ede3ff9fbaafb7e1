"""What dvc.lock says of a study's results, read without importing DVC: a snakemake call is to stay quick."""

import os
import re
from pathlib import Path

import yaml

from mimic.dag.jobs import Job
from mimic.dag.steps import SIDECAR
from mimic.dag.study import Study
from mimic.engine import dvc_cache
from mimic.engine.sidecar import file_md5
from mimic.support.errors import MimicError

LOCK = Path("dvc.lock")
PARAMS = Path("params.yaml")  # the file that dvc.yaml names
NAMED = 3  # results that a notice names
CONFLICTS = (
    f"{LOCK}: has conflicts of a merge; take one side whole, `git checkout --ours {LOCK}` or `--theirs`, "
    "then call `snakemake report.html` and `make record`"
)


def outs(study: str) -> dict[Path, str]:
    """The outputs of a study's stages with their digests; those of folders end in `.dir`.

    Raises MimicError where git has left conflicts in dvc.lock.
    """
    try:
        text = LOCK.read_bytes()
        if re.search(rb"^<<<<<<< ", text, re.MULTILINE):
            raise MimicError(CONFLICTS)
        content = yaml.safe_load(text)
        stages = {name: stage for name, stage in content["stages"].items() if name.endswith(f"@{study}")}
        return {
            Path(out["path"]): out["md5"]
            for stage in stages.values()
            for out in stage.get("outs", [])
            if "md5" in out
        }
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError):  # DVC itself says what is wrong
        return {}


def absent(study: Study) -> str | None:
    """A notice of results that dvc.lock knows and that aren't here, or None."""
    gone = [str(path) for path in outs(study.name) if not path.exists()]
    if not gone:
        return None
    return f"dvc.lock knows results that are not here ({_some(gone)}): `make pull` may save making them"


def unrecorded(study: Study) -> str | None:
    """A notice of results that dvc.lock doesn't hold, or None.

    None also where DVC isn't in use, without a dvc.lock, and in a stage of `dvc repro`, which records.
    """
    if not LOCK.exists() or "DVC_STAGE" in os.environ:
        return None
    recorded = _recorded_sidecars(study.name)
    new = [job for job in study.jobs() if _is_new(job, recorded)]
    if not new:
        return None
    names = _some([job.id for job in new])
    return f"dvc.lock does not hold {len(new)} of the results ({names}): `make record` has DVC version them"


def _recorded_sidecars(study: str) -> dict[Path, str]:
    """The digest of each sidecar that dvc.lock holds, by its path."""
    found = {}
    for path, md5 in outs(study).items():
        if path.name == SIDECAR:
            found[path] = md5
        elif md5.endswith(".dir"):
            files = dvc_cache.listing(md5.removesuffix(".dir"))
            found |= {path / name: digest for name, digest in files.items() if Path(name).name == SIDECAR}
    return found


def _is_new(job: Job, recorded: dict[Path, str]) -> bool:
    """Every sidecar has its own date, so an equal one belongs to the same result."""
    return job.sidecar.exists() and file_md5(job.sidecar) != recorded.get(job.sidecar)


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
