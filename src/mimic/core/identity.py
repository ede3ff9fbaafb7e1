"""What identifies a job, and whether the result on disk is the one asked for.

    key(job) = hash(step, name, task, code of the step without comments, keys of its upstream jobs)

A job leaves its key in a sidecar `job.json` beside its files. The sidecar travels with the files
(DVC, rsync, a colleague's disk); dates, metadata of a workflow engine and paths play no part. See
docs/identity.md.
"""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mimic.core.jobs import Job

PACKAGE = Path(__file__).parents[1]

# Modules that say where, when and under which name a result is made, but can't change what it is.
NEUTRAL = {
    f"mimic.core.{name}"
    for name in (
        *("alone", "cohorts", "dvc_cache", "dvc_lock", "errors", "identity", "jobs", "leftovers"),
        *("parameters", "publish", "reading", "runner", "searches", "settled", "spaces", "specs"),
        *("store", "study", "tasks", "types"),
    )
}


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
    key: str
    parameters: dict
    code: dict[str, str]  # module: digest
    upstream: dict[str, str]  # job: key
    files: dict[str, FileRecord]
    provenance: dict


def canonical(value: object) -> object:
    """`value` with 1.0 and 1 made one, as YAML and DVC take them, so that a key can't tell them apart."""
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def digest(value: object) -> str:
    """A 128-bit hexadecimal digest of a JSON value."""
    text = json.dumps(canonical(value), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def file_md5(path: Path) -> str:
    """The MD5 of a file, as DVC names it."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _module_file(module: str) -> Path | None:
    base = PACKAGE.parent.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_module_file(module).read_text(encoding="utf-8"))


@cache
def _code_digest(module: str) -> str:
    """A digest of a module's syntax tree, which has no comments and no layout; docstrings are dropped."""
    tree = ast.parse(ast.unparse(_tree(module)))
    for node in ast.walk(tree):
        scopes = ast.Module | ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef
        if isinstance(node, scopes) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]


@cache
def _imports(module: str) -> frozenset[str]:
    """The modules of this package that `module` imports anywhere in its text."""
    names = set()
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(name for name in names if name.split(".")[0] == "mimic" and _module_file(name))


@cache
def code(step: str) -> dict[str, str]:
    """Digests of every module that a step's results can depend on, itself included."""
    waiting, seen = [f"mimic.steps.{step}"], set()
    while waiting:
        module = waiting.pop()
        if module not in seen and module not in NEUTRAL:
            seen.add(module)
            waiting.extend(_imports(module))
    return {module: _code_digest(module) for module in sorted(seen)}


def package_data(step: str) -> dict[str, str]:
    """Digests of the files other than code that a step reads from the package (the report's template)."""
    if step != "report":
        return {}
    files = sorted(
        p for p in (PACKAGE / "report").rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc")
    )
    return {f.relative_to(PACKAGE).as_posix(): file_md5(f) for f in files}


def task_json(job: Job) -> dict:
    """A job's task as JSON."""
    return job.task.model_dump(mode="json")


class Keys:
    """The keys of a study's jobs, each computed once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __getitem__(self, job: Job) -> str:
        if job.id not in self._known:
            upstream = {up.id: self[up] for up in job.upstream}
            content = [job.step, job.name, task_json(job), code(job.step), package_data(job.step), upstream]
            self._known[job.id] = digest(content)
        return self._known[job.id]


def read_sidecar(path: Path) -> Sidecar | None:
    """The sidecar at `path`, or None when there is none that can be read: then there is no result."""
    try:
        return Sidecar.model_validate_json(Path(path).read_bytes())
    except (OSError, ValidationError):
        return None


def is_fresh(key: str, sidecar: Path, outputs: dict[str, Path]) -> bool:
    """Whether the files on disk are the whole result of the job with this key (sizes compared)."""
    record = read_sidecar(sidecar)
    if record is None or record.key != key or set(record.files) != set(outputs):
        return False
    return all(_is_there(path, record.files[name], sidecar.parent) for name, path in outputs.items())


def _is_there(path: Path, file: FileRecord, folder: Path) -> bool:
    """Sizes are compared; digests too of a file outside the folder, report.html, which all studies write."""
    return _size(path) == file.size and (path.parent == folder or file_md5(path) == file.md5)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
