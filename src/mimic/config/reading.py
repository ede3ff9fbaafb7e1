"""From a YAML file to typed parameters, or one sentence that says what is wrong in it."""

import re
from pathlib import Path

import yaml
from pydantic import ValidationError

from mimic.config.parameters import Parameters
from mimic.support.errors import MimicError

PRESETS = Path("presets")


class _UniqueKeyLoader(yaml.SafeLoader):
    """Safe YAML in which a key given twice is an error, not a silent overwrite."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict:
    seen = set()
    for key, _ in node.value:
        if key.tag == "tag:yaml.org,2002:merge" or not isinstance(key, yaml.ScalarNode):
            continue
        if (key.tag, key.value) in seen:
            raise yaml.MarkedYAMLError(
                problem=f"key {key.value!r} is given twice", problem_mark=key.start_mark
            )
        seen.add((key.tag, key.value))
    return loader.construct_mapping(node, deep=True)


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def parse_yaml(text: str, origin: object) -> object:
    """The content of a YAML text. Raises MimicError naming `origin`, and the line, of what is no YAML."""
    try:
        return _UniqueKeyLoader(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise MimicError(f"{origin}{line}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date such as 2020-13-01
        raise MimicError(f"{origin}: not valid YAML: {error}") from None


def read_text(path: Path) -> str:
    """The content of a text file. Raises MimicError naming the file when it can not be read."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MimicError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise MimicError(f"{path}: can not be read: {error}") from None


def read_yaml(path: Path) -> object:
    """The content of a YAML file. Raises MimicError naming file and line when it can not be read."""
    return parse_yaml(read_text(path), path)


_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")


def _number(text: str) -> str:
    """A number with an exponent as YAML wants it: 1e-3 as 1.0e-3."""
    mantissa, exponent = text.lower().split("e")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{int(exponent):+d}"


def _key(loc: tuple[str | int, ...], content: object) -> str:
    """Where an error is, as keys of params.yaml: without the kinds of schedules and losses, which pydantic
    has in between.
    """
    *parents, last = (part for part in loc if part != "[key]") if loc else ("",)
    place = []
    for part in parents:
        if part in content if isinstance(content, dict) else isinstance(part, int):
            place.append(str(part))
            content = content[part]
    return ".".join([*place, str(last)])


def _explain(error: dict, content: object) -> str:
    """One pydantic error in `content` as `key: what is wrong, what would be right`."""
    key, value, kind = _key(error["loc"], content), error.get("input"), error["type"]
    prefix = f"{key}: " if key else ""
    if kind == "extra_forbidden":
        return f"{prefix}unknown key; remove it or correct its spelling"
    if kind == "missing":
        return f"{prefix}missing; every key must be given"
    if kind == "value_error":
        return prefix + str(error["ctx"]["error"])
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        kinds = error["ctx"].get("expected_tags", "those that docs/parameters.md lists")
        return f"{prefix}kind must be one of {kinds}"
    if isinstance(value, str) and _EXPONENT.fullmatch(value):
        return f"{prefix}{value} is text to YAML; write {_number(value)}, with its point and sign"
    what = error["msg"].replace("Input should be", "must be").replace("String should", "must")
    shown = (
        repr(value) if isinstance(value, str | int | float | bool) or value is None else type(value).__name__
    )
    return f"{prefix}{what[0].lower()}{what[1:]}, not {shown}"


def check_parameters(content: object, origin: str | Path) -> Parameters:
    """The typed form of `content`. Raises MimicError with one line for the first thing wrong in it."""
    if not isinstance(content, dict):
        raise MimicError(f"{origin}: must hold keys and values, as presets/demo.yaml does")
    try:
        return Parameters.model_validate(_tuples(content))
    except ValidationError as error:
        errors = error.errors()
        # A misspelt key is the likelier cause of a missing one.
        first = min(errors, key=lambda e: e["type"] != "extra_forbidden")
        raise MimicError(f"{origin}: {_explain(first, content)}") from None


def _tuples(value: object) -> object:
    """YAML has lists where the types, which can not change, have tuples."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def read_parameters(path: Path) -> Parameters:
    """The study that a params.yaml describes. Raises MimicError with one line when it is wrong."""
    try:
        return check_parameters(read_yaml(path), path)
    except MimicError as error:
        raise error if Path(path).exists() else MimicError(f"{error}; {way_out()}") from None


def parameter_file(text: str) -> Path:
    """What a person calls a parameter file: its path, or the name of a preset."""
    path = Path(text)
    return path if path.suffix or path.is_file() else PRESETS / f"{text}.yaml"


def way_out() -> str:
    """What to do where a parameter file is missing."""
    if presets := ", ".join(sorted(path.stem for path in PRESETS.glob("*.yaml"))):
        return f"`python -m mimic use PRESET` writes params.yaml from one of {presets}"
    return "go to the folder that holds the Snakefile"
