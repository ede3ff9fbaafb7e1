"""`mimic use`: make a preset the study at hand."""

import io
import os
import re
from pathlib import Path

from ruamel.yaml import YAML, YAMLError

from mimic.commands.schema import SCHEMA
from mimic.config.reading import (
    PRESETS,
    check_parameters,
    parameter_file,
    parse_yaml,
    read_text,
    read_yaml,
    way_out,
)
from mimic.support import publish
from mimic.support.errors import MimicError


def run(options) -> None:
    """Write params.yaml from a preset with some values replaced; comments are kept.

    Raises MimicError when the preset or a key is unknown, or when params.yaml holds changes that no
    preset holds and --force isn't given.
    """
    preset = parameter_file(options.preset)
    if not preset.is_file():
        raise MimicError(f"{options.preset}: no such preset; {way_out()}")
    if options.params.exists() and not options.force and not _is_preset(options.params):
        raise MimicError(f"{options.params}: holds changes of your own; save it elsewhere, or add --force")
    text = read_text(preset)
    parse_yaml(text, preset)
    for assignment in options.set:
        text = _replaced(text, assignment)
    parameters = check_parameters(parse_yaml(text, preset), preset)
    publish.write_text(options.params, _naming_schema(text, options.params.parent))
    print(f"{options.params}: study {parameters.study}, from {preset}")


def _naming_schema(text: str, folder: Path) -> str:
    """`text` with the schema, which a preset's first line names for editors, as seen from `folder`."""
    schema = Path(os.path.relpath(SCHEMA, folder)).as_posix()
    return re.sub(r"\A(# yaml-language-server: \$schema=).*", lambda line: line[1] + schema, text)


def _is_preset(params: Path) -> bool:
    """Whether `params` is a preset, but for the place of its data."""

    def content(path: Path) -> object:
        value = read_yaml(path)
        if isinstance(value, dict) and isinstance(value.get("data"), dict):
            value["data"].pop("path", None)
        return value

    return any(content(params) == content(preset) for preset in PRESETS.glob("*.yaml"))


def _replaced(text: str, assignment: str) -> str:
    """`text` with one KEY=VALUE applied, its layout and comments kept."""
    yaml = YAML()  # of the YAML libraries, the one that keeps comments and the form of numbers
    yaml.preserve_quotes = True
    yaml.width = 4096
    document = yaml.load(text)
    key, equals, value = assignment.partition("=")
    *parents, last = key.split(".")
    place = document
    for parent in parents:
        place = place.get(parent) if isinstance(place, dict) else None
    if not equals or not isinstance(place, dict) or last not in place:
        raise MimicError(
            f"{assignment}: must be KEY=VALUE with a key of the preset, e.g. data.path=cifar10.zip"
        )
    try:
        place[last] = yaml.load(value)
    except YAMLError:
        raise MimicError(f"{assignment}: the value is not valid YAML; quote it") from None
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()
