"""From a YAML file to typed parameters, or one sentence that says what is wrong in it."""

import re
from pathlib import Path

import yaml
from pydantic import ValidationError

from mimic.core.errors import MimicError
from mimic.core.parameters import Parameters


class _UniqueKeyLoader(yaml.SafeLoader):
    """Safe YAML in which a key given twice is an error, not a silent overwrite."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict:
    seen = set()
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.MarkedYAMLError(
                problem=f"key {key!r} is given twice", problem_mark=key_node.start_mark
            )
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path) -> object:
    """The content of a YAML file. Raises MimicError naming file and line when it can not be read."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MimicError(f"{path}: no such file; copy one from presets/") from None
    except (OSError, UnicodeDecodeError) as error:
        raise MimicError(f"{path}: can not be read: {error}") from None
    try:
        return _UniqueKeyLoader(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise MimicError(f"{path}{line}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise MimicError(f"{path}: not valid YAML: {error}") from None


_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")


def _number(text: str) -> str:
    """A number with an exponent as YAML wants it: 1e-3 as 1.0e-3."""
    mantissa, exponent = text.lower().split("e")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{int(exponent):+d}"


def _explain(error: dict) -> str:
    """One pydantic error as `key: what is wrong, what would be right`."""
    tags = {"one_cycle", "patience", "l2", "kl", "cross_entropy"}
    place = [str(part) for part in error["loc"] if part not in tags and part != "[key]"]
    key, value, kind = ".".join(place), error.get("input"), error["type"]
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
        raise MimicError(f"{origin}: {_explain(first)}") from None


def _tuples(value: object) -> object:
    """YAML has lists where the types, which can not change, have tuples."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def read_parameters(path: Path) -> Parameters:
    """The study that a params.yaml describes. Raises MimicError with one line when it is wrong."""
    return check_parameters(read_yaml(path), path)
