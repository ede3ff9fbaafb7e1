"""The run records that training leaves in files, read without trusting them.

Whatever does not have the documented form is refused by a MimicError that names the file; nothing of
a file's content is repeated in the message.
"""

import csv
import hashlib
import io
import json
import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    JsonValue,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from mimic.core.errors import MimicError

Key = Annotated[str, Field(pattern=r"^[0-9a-f]{8,128}$")]
Text = Annotated[str, Field(max_length=5000)]
Count = Annotated[int, Field(ge=0)]
MetricName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]


def flatten(groups: dict[str, JsonValue], prefix: str = "") -> dict[str, str]:
    """Nested groups as `group.name: text`; what is not text is written as JSON."""
    flat: dict[str, str] = {}
    for name, value in groups.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value if isinstance(value, str) else json.dumps(value)
    return flat


def _check_names(groups: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if not all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}", name) for name in flatten(groups)):
        raise ValueError("names must consist of letters, digits, dots, dashes and underscores")
    return groups


Groups = Annotated[dict[str, JsonValue], AfterValidator(_check_names)]


class _Record(BaseModel):
    """Known fields are checked and never converted; unknown ones are left for later versions."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class FileDigest(_Record):
    """How a sidecar describes one file beside it."""

    md5: str
    size: Count


class Provenance(_Record):
    """Where and when a job ran."""

    started: datetime
    seconds: Annotated[FiniteFloat, Field(ge=0)]
    commit: Text | None = None
    dirty: bool | None = None
    slurm_job: Text | None = None

    @property
    def started_ms(self) -> int:
        """Start, in milliseconds since 1970; a time without a zone is taken as UTC."""
        started = self.started if self.started.tzinfo else self.started.replace(tzinfo=UTC)
        return round(started.timestamp() * 1000)

    @property
    def ended_ms(self) -> int:
        """End, in milliseconds since 1970."""
        return self.started_ms + round(self.seconds * 1000)


class Sidecar(_Record):
    """`job.json`: identity of a published job."""

    name: str
    study: str
    key: Key
    upstream: dict[str, Key] = {}
    files: dict[str, FileDigest] = {}
    provenance: Provenance


class Result(_Record):
    """`record.json`: what came of a training."""

    status: Literal["finished", "diverged"]
    reason: Text | None = None
    kind: Literal["teacher", "student"]
    name: str
    family: Text
    budget: Text | None = None
    arm: Text | None = None
    seed: int
    parameters: Count
    multiply_adds: Count | None = None
    hyperparameters: Groups
    epochs: Count
    best_epoch: Count | None = None
    validation_accuracy: FiniteFloat | None = None
    validation_loss: FiniteFloat | None = None
    seconds: FiniteFloat | None = None
    images_per_second: FiniteFloat | None = None
    training_flops: FiniteFloat | None = None
    stop: Text | None = None


class Proposal(_Record):
    """`proposal.json`: what asked for the trials of one round of a search."""

    algorithm: Text
    points: list[Groups]  # the hyperparameters that were searched, by dotted name
    origins: list[Text]  # of each point: where it comes from, such as "sobol"

    @model_validator(mode="after")
    def _paired(self) -> "Proposal":
        if len(self.points) != len(self.origins):
            raise ValueError("points and origins must be as many")
        return self


class Live(_Record):
    """`live.json`: identity of a training under way."""

    key: Key
    study: str
    step: str
    name: str
    hyperparameters: Groups
    parameters: Count
    slurm_job: Text | None = None


Model = TypeVar("Model", bound=_Record)


def read_model(path: Path, model: type[Model], sidecar: Sidecar | None = None) -> Model:
    """The JSON file at `path` as `model`. Raises MimicError when it is malformed or not the published one."""
    try:
        return model.model_validate_json(_read(path, sidecar))
    except ValidationError as error:
        raise MimicError(f"{path}: {_explain(error)}") from None


Epochs = dict[int, dict[str, float]]  # metrics of each epoch, ascending

_LINE = TypeAdapter(dict[MetricName, float | None], config=ConfigDict(strict=True))
_METRICS_PER_EPOCH = 100
_LAST_EPOCH = 10**9


def read_history(path: Path, sidecar: Sidecar | None = None) -> tuple[Epochs, list[str]]:
    """The metrics of each epoch in `history.jsonl`, and one sentence for each line that was left out.

    Without a sidecar the file may still grow: an unfinished last line waits for the next reading. Of an
    epoch told twice, as a resumed training may do, the first telling counts. Raises MimicError when the
    file can not be read or is not the one that its sidecar describes.
    """
    lines = _read(path, sidecar).split(b"\n")
    if sidecar is None:
        lines = lines[:-1]
    epochs: Epochs = {}
    left_out = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            epoch, metrics = _epoch(line)
        except ValueError as error:
            reason = _explain(error) if isinstance(error, ValidationError) else str(error)
            left_out.append(f"{path}, line {number}: {reason}; the line is left out")
        else:
            epochs.setdefault(epoch, metrics)
    return dict(sorted(epochs.items())), left_out


def _epoch(line: bytes) -> tuple[int, dict[str, float]]:
    metrics = _LINE.validate_json(line)
    epoch = metrics.pop("epoch", None)
    if epoch is None or not 1 <= epoch <= _LAST_EPOCH or epoch != int(epoch):
        raise ValueError("epoch must be a whole number from 1")
    if len(metrics) > _METRICS_PER_EPOCH:
        raise ValueError(f"more than {_METRICS_PER_EPOCH} metrics in one epoch")
    # The loss of a diverged epoch is not a number; the others of its metrics are worth having.
    return int(epoch), {
        name: value for name, value in metrics.items() if value is not None and math.isfinite(value)
    }


_TEST_COLUMNS = ("accuracy", "nll", "ece", "agreement", "kl")
_KINDS = ("teacher", "student", "trial")
Measures = dict[tuple[str, str], dict[str, float]]  # (step, variant) -> test metrics


def read_measures(path: Path, sidecar: Sidecar) -> tuple[Measures, list[str]]:
    """The test metrics of each trained model in `models.csv`, and one sentence for each row left out.

    Metrics carry the prefix `test_`; a model that was not measured has none. Raises MimicError when the
    file can not be read, is not the one that its sidecar describes, or has no columns kind and name.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(_read(path, sidecar).decode(), newline="")))
    except (UnicodeDecodeError, csv.Error):
        raise MimicError(f"{path}: is not a CSV table") from None
    if rows and not {"kind", "name"} <= rows[0].keys():
        raise MimicError(f"{path}: must have the columns kind and name")
    measures: Measures = {}
    left_out = []
    for number, row in enumerate(rows, start=2):
        if row["kind"] not in _KINDS:
            continue
        try:
            measures[row["kind"], row["name"]] = _test_metrics(row)
        except ValueError:
            left_out.append(f"{path}, line {number}: a measure is not a finite number; the line is left out")
    return measures, left_out


_FINITE = TypeAdapter(FiniteFloat)


def _test_metrics(row: dict[str, str]) -> dict[str, float]:
    columns = [name for name in row if name in _TEST_COLUMNS or (name or "").startswith("accuracy_shift_")]
    return {f"test_{name}": _FINITE.validate_python(row[name]) for name in columns if row[name]}


def _read(path: Path, sidecar: Sidecar | None) -> bytes:
    """The bytes of a file, which must be those that the sidecar describes where it names the file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MimicError(f"{path}: can not be read: {error.strerror}") from None
    digest = sidecar.files.get(path.name) if sidecar else None
    if digest and hashlib.md5(content, usedforsecurity=False).hexdigest() != digest.md5:
        raise MimicError(
            f"{path}: was changed after its job.json was written; restore it or run the job again"
        )
    return content


def _explain(error: ValidationError) -> str:
    """The first thing wrong, without the value, which may be anything."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"] if part != "[key]")
    message = first["msg"].replace("Input should be", "must be")
    return f"{place}: {message[0].lower()}{message[1:]}" if place else f"is not valid: {message}"
