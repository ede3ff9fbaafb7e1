"""The sidecar: what a job leaves beside its files, and whether the files on disk are the ones asked for.

It travels with the files (DVC, rsync, a colleague's disk); dates, metadata of an engine and paths play no
part. See docs/identity.md.
"""

import hashlib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class FileRecord(BaseModel):
    """One published file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    size: Annotated[int, Field(ge=0)]  # bytes


class Sidecar(BaseModel):
    """What a job leaves beside its files."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    step: str
    name: str
    study: str
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{8,128}$")]
    parameters: dict
    code: dict[str, str]  # module or file: digest
    upstream: dict[str, str]  # job: key
    files: dict[str, FileRecord]
    provenance: dict


def file_md5(path: Path) -> str:
    """The MD5 of a file, as DVC names it."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def read_sidecar(path: Path) -> Sidecar | None:
    """The sidecar at `path`, or None when there is none that can be read: then there is no result."""
    try:
        return Sidecar.model_validate_json(Path(path).read_bytes())
    except (OSError, ValidationError):
        return None


def damage(record: Sidecar, outputs: dict[str, Path]) -> str | None:
    """Which file isn't what the sidecar says, and how, or None: sizes are compared.

    Digests too of a file elsewhere: report.html at the top, which all studies write.
    """
    if set(record.files) != set(outputs):
        return f"{record.step} {record.name}: its sidecar names other files"
    folder = next(iter(outputs.values())).parent
    for name, path in outputs.items():
        if not path.is_file():
            return f"{path}: missing"
        if path.stat().st_size != record.files[name].size:
            return f"{path}: not of the recorded size"
        if path.parent != folder and file_md5(path) != record.files[name].md5:
            return f"{path}: of another study or run"
    return None


def is_fresh(key: str, sidecar: Path, outputs: dict[str, Path]) -> bool:
    """Whether the files on disk are the whole result of the job with this key."""
    record = read_sidecar(sidecar)
    return record is not None and record.key == key and damage(record, outputs) is None
