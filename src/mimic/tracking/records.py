"""The run records that training leaves in files, read without trusting them.

Whatever does not have the documented form is refused by a MimicError that names the file; nothing of
a file's content is repeated in the message.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable
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
    RootModel,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from mimic.engine.sidecar import Sidecar
from mimic.nets.layers import Conv, Layers, Linear, Pool, ReLU
from mimic.support.errors import MimicError

Text = Annotated[str, Field(max_length=5000)]
Count = Annotated[int, Field(ge=0)]
MetricName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]


def percent(fraction: float) -> float:
    """As the report writes accuracies; without the noise of the last bits."""
    return round(100 * fraction, 6)


def flatten(groups: dict[str, JsonValue], prefix: str = "") -> dict[str, str]:
    """Nested groups as `group.name: text`; what is not text is written as JSON."""
    flat: dict[str, str] = {}
    for name, value in groups.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{name}.")
        elif not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}", prefix + name):
            raise ValueError("names must consist of letters, digits, dots, dashes and underscores")
        else:
            flat[prefix + name] = value if isinstance(value, str) else json.dumps(value)
    return flat


def notation(layers: Layers) -> str:
    """The paper's notation with widths, output layer left out: `c48-mp-c64-mp-fc220`.

    A fully connected layer without ReLU is a linear bottleneck, `lfc`.
    """
    words: list[str] = []
    for layer in layers:
        match layer:
            case Conv(filters=filters):
                words.append(f"c{filters}")
            case Pool():
                words.append("mp")
            case Linear(units=units):
                words.append(f"lfc{units}")
            case ReLU() if words:
                words[-1] = words[-1].removeprefix("l")
    return "-".join(words[:-1])


_LAYERS = TypeAdapter(Layers)


def _described(hyperparameters: dict[str, JsonValue]) -> dict[str, str]:
    """Flat, and the net not as dozens of layers but as `c48-mp-fc220`."""
    try:
        net = notation(_LAYERS.validate_python(hyperparameters.get("net")))
    except ValidationError:
        raise ValueError("net must be the layers of a net") from None
    return flatten(hyperparameters | {"net": net})


Groups = Annotated[dict[str, JsonValue], AfterValidator(flatten)]
Hyperparameters = Annotated[dict[str, JsonValue], AfterValidator(_described)]


class _Record(BaseModel):
    """Known fields are checked and never converted; unknown ones are left for later versions."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class Provenance(_Record):
    """Where and when a job ran, as its sidecar tells."""

    started: Annotated[datetime, Field(strict=False)]
    seconds: Annotated[FiniteFloat, Field(ge=0)]  # of a cohort's process, the share of one member
    cohort: Annotated[int, Field(ge=1)] = 1
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
        return self.started_ms + round(self.seconds * self.cohort * 1000)


class TrainingRecord(_Record):
    """`record.json`: what came of a training."""

    status: Literal["finished", "diverged"]
    reason: Text | None = None
    kind: Literal["teacher", "student"]
    name: str
    hyperparameters: Hyperparameters
    stop: Text | None = None
    parameters: Count
    multiply_adds: Count | None = None
    epochs: Count
    best_epoch: Count | None = None
    validation_accuracy: FiniteFloat | None = None
    validation_loss: FiniteFloat | None = None
    seconds: FiniteFloat | None = None
    images_per_second: FiniteFloat | None = None
    training_flops: FiniteFloat | None = None


class EnsembleRecord(_Record):
    """`ensemble.json`: the members, and what each added on the validation images."""

    members: list[Text]
    candidates: list[Text]
    trace: list[dict[str, JsonValue]]


class ImagesRecord(_Record):
    """`data.json`: the images of a study."""

    source: Text
    counts: dict[str, Count]  # by split


class ProposedPoints(_Record):
    """`proposal.json`: what asked for the trials of one round of a search."""

    algorithm: Text
    points: list[Groups]  # the hyperparameters that were searched, by dotted name
    origins: list[Text]  # of each point: where it comes from, such as "sobol"

    @model_validator(mode="after")
    def _paired(self) -> "ProposedPoints":
        if len(self.points) != len(self.origins):
            raise ValueError("points and origins must be as many")
        return self


class Live(_Record):
    """`live.json`: identity of a training under way."""

    key: Annotated[str, Field(pattern=r"^[0-9a-f]{8,128}$")]
    study: str
    step: str
    name: str
    hyperparameters: Hyperparameters
    parameters: Count
    slurm_job: Text | None = None


class MeasuredModels(RootModel[list[dict[str, FiniteFloat | Text | None]]]):
    """`measures.json`: one or more models on the test images; a diverged one has no measures."""

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """Of each model, by kind/name, its measures; of them accuracies in percent."""
        measures = re.compile("accuracy|nll|ece|agreement|kl|accuracy_augmented|accuracy_shift_[0-9]+")
        return {
            f"{row.get('kind')}/{row.get('name')}": {
                "test_accuracy" if name == "accuracy" else f"test/{name}": percent(value)
                if name.startswith("accuracy")
                else value
                for name, value in row.items()
                if measures.fullmatch(name) and isinstance(value, float)
            }
            for row in self.root
        }


Model = TypeVar("Model", bound=BaseModel)


def read_model(path: Path, model: type[Model], sidecar: Sidecar | None = None) -> Model:
    """The JSON file at `path` as `model`. Raises MimicError when it is malformed or not the published one."""
    return _checked(path, model.model_validate_json, _read(path, sidecar))


def read_provenance(path: Path, sidecar: Sidecar) -> Provenance:
    """The provenance in the sidecar that lies at `path`. Raises MimicError when it is malformed."""
    return _checked(path, Provenance.model_validate, sidecar.provenance)


Epochs = dict[int, dict[str, float]]  # metrics of each epoch, ascending

_LINE = TypeAdapter(dict[MetricName, float | None], config=ConfigDict(strict=True))


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
    if epoch is None or not 1 <= epoch <= 1e9 or epoch != int(epoch):
        raise ValueError("epoch must be a whole number from 1")
    # The loss of a diverged epoch is not a number; the others of its metrics are worth having.
    finite = {name: value for name, value in metrics.items() if value is not None and math.isfinite(value)}
    return int(epoch), finite


def _read(path: Path, sidecar: Sidecar | None) -> bytes:
    """The bytes of a file, which must be those that the sidecar describes where it names the file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MimicError(f"{path}: can not be read: {error.strerror}") from None
    file = sidecar.files.get(path.name) if sidecar else None
    if file and hashlib.md5(content, usedforsecurity=False).hexdigest() != file.md5:
        raise MimicError(
            f"{path}: was changed after its job.json was written; restore it or run the job again"
        )
    return content


def _checked(path: Path, validate: Callable[..., Model], content: object) -> Model:
    try:
        return validate(content)
    except ValidationError as error:
        raise MimicError(f"{path}: {_explain(error)}") from None


def _explain(error: ValidationError) -> str:
    """The first thing wrong, without the value, which may be anything."""
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"] if part != "[key]")
    message = first["msg"].replace("Input should be", "must be")
    return f"{place}: {message[0].lower()}{message[1:]}" if place else f"is not valid: {message}"
