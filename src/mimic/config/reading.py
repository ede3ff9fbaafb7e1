"""From a YAML file to typed parameters, or one sentence that says what is wrong in it."""

import textwrap
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from mimic.config.parameters import Parameters
from mimic.config.strict_yaml import read_yaml
from mimic.support.errors import MimicError

PRESETS = Path("presets")
CHARACTERS = 4096  # of a text: the longest path
UNPRINTED = {"Cc", "Cs", "Zl", "Zp"}  # Unicode's categories of control characters, surrogates, line breaks
SHOWN = 60  # characters of a value in a message


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
    what = error["msg"].replace("Input should be", "must be").replace("String should", "must")
    hint = "; write it in quotes" if kind == "string_type" and not isinstance(value, dict | tuple) else ""
    return f"{prefix}{what[0].lower()}{what[1:]}, not {_shown(value)}{hint}"


def _shown(value: object) -> str:
    """A value in a message: a short one as it is, of others the beginning or the type."""
    if isinstance(value, dict | tuple):
        return "a list" if isinstance(value, tuple) else "a group of keys"
    return textwrap.shorten(repr(value), SHOWN, placeholder="…")


def check_parameters(content: object, origin: str | Path) -> Parameters:
    """The typed form of `content`. Raises MimicError with one line for the first thing wrong in it."""
    if not isinstance(content, dict):
        raise MimicError(f"{origin}: must hold keys and values, as presets/demo.yaml does")
    for place, text in _texts(content):
        if len(text) > CHARACTERS or any(unicodedata.category(c) in UNPRINTED for c in text):
            shown = _shown(text)
            raise MimicError(f"{origin}: {place}{shown} must be one line of at most {CHARACTERS} characters")
    try:
        return Parameters.model_validate(_tuples(content))
    except ValidationError as error:
        errors = error.errors()
        # A misspelt key is the likelier cause of a missing one.
        first = min(errors, key=lambda e: e["type"] != "extra_forbidden")
        raise MimicError(f"{origin}: {_explain(first, content)}") from None


def _texts(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text in `value`, keys too, and where it stands."""
    if isinstance(value, str):
        yield place, value
    for key, item in value.items() if isinstance(value, dict) else ():
        yield from _texts(key, place)
        yield from _texts(item, f"{place.removesuffix(': ')}{'.' if place else ''}{key}: ")
    for item in value if isinstance(value, list) else ():
        yield from _texts(item, place)


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
