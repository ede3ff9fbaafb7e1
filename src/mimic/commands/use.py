"""`mimic use`: make a preset the study at hand."""

import io
import json
import os
import re
from functools import reduce
from operator import getitem
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.nodes import Node, ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from mimic.commands.fitting import fitted
from mimic.commands.schema import SCHEMA, takes
from mimic.config.reading import PRESETS, check_parameters, parameter_file, way_out
from mimic.config.strict_yaml import TAG, parse_yaml, read_text, read_yaml
from mimic.support import publish
from mimic.support.errors import MimicError

# Words and numbers to YAML 1.1, text to 1.2.
NO_TEXT_ONCE = re.compile(r"(?i:y|yes|n|no|on|off)|[-+]?\d[\d_]*(:[0-5]?\d)+(\.[\d_]*)?")


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
    before = parse_yaml(text, preset)
    check_parameters(before, preset)
    for assignment in options.set:
        text = _replaced(text, assignment)
    given = {assignment.partition("=")[0] for assignment in options.set}
    study = parse_yaml(text, preset)
    fits = {key: value for key, value in fitted(before, study) if key not in given}
    for key, value in fits.items():
        text = _replaced(text, f"{key}={value if isinstance(value, str) else json.dumps(value)}")
    parameters = check_parameters(parse_yaml(text, preset), preset)
    publish.write_text(options.params, _naming_schema(text, options.params.parent))
    print(f"{options.params}: study {parameters.study}, from {preset}")
    if fits:
        print(f"fitted to the images: {', '.join(f'{key} {json.dumps(fits[key])}' for key in fits)}")


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
    yaml = YAML()  # keeps comments and the form of numbers
    yaml.Representer = _Writer
    yaml.preserve_quotes = True
    yaml.width = 4096
    document = yaml.load(text)
    key, equals, value = assignment.partition("=")
    keys = _keys(document, key.split("."))
    if not equals or not keys:
        raise MimicError(
            f"{assignment}: must be KEY=VALUE with a key of the preset, e.g. data.path=cifar10.zip"
        )
    reduce(getitem, keys[:-1], document)[keys[-1]] = _typed(value, takes(keys), key)
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()


def _keys(document: object, parts: list[str]) -> list[str] | None:
    """The keys that dotted `parts` lead through; 3.16M has one itself. None without such keys."""
    if not parts:
        return []
    for number in range(1, len(parts) + 1) if isinstance(document, dict) else ():
        key = ".".join(parts[:number])
        if key in document and (rest := _keys(document[key], parts[number:])) is not None:
            return [key, *rest]
    return None


def _typed(value: str, kinds: set[str], key: str) -> object:
    """What a person typed for a key that takes `kinds` of values: where only text will do, as it stands."""
    is_null = "null" in kinds and value in ("", "~", "null")
    return value if kinds - {"null"} == {"string"} and not is_null else parse_yaml(value, key)


class _Writer(RoundTripRepresenter):
    """How values are written that the preset did not hold: so that YAML 1.1 and 1.2 read the same."""


def _float(writer: _Writer, value: float) -> ScalarNode:
    mantissa, e, exponent = repr(value).partition("e")
    text = f"{mantissa}{'' if '.' in mantissa else '.0'}e{int(exponent):+d}" if e else mantissa
    return writer.represent_scalar(f"{TAG}float", text)


def _text(writer: _Writer, value: str) -> ScalarNode:
    return writer.represent_scalar(f"{TAG}str", value, style="'" if NO_TEXT_ONCE.fullmatch(value) else None)


def _line(writer: _Writer, value: list | dict) -> Node:
    if isinstance(value, list):
        return writer.represent_sequence(f"{TAG}seq", value, flow_style=True)
    return writer.represent_mapping(f"{TAG}map", value, flow_style=True)


def _null(writer: _Writer, value: None) -> ScalarNode:
    return writer.represent_scalar(f"{TAG}null", "null")


for _kind, _write in {float: _float, str: _text, list: _line, dict: _line, type(None): _null}.items():
    _Writer.add_representer(_kind, _write)
