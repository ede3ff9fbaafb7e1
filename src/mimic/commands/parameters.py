"""`mimic parameters`: every key of params.yaml, its type, default and meaning, as Markdown.

docs/parameters.md is what this prints; a test keeps the two in step.
"""

import inspect
import types
import typing

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from mimic.core import parameters


def run(options) -> None:
    """Print the page."""
    print(page(), end="")


def page() -> str:
    """docs/parameters.md."""
    parts = [
        "# Parameters\n",
        "A study is one file, `params.yaml`. Unknown keys, wrong types and values out of bounds are refused",
        "before any job starts. Numbers are written `1.0e-3`, not `1e-3`, which YAML takes for text.\n",
        "This page is printed by `python -m mimic parameters`.\n",
        *_section(parameters.Parameters, "The study", set()),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _section(model: type[BaseModel], title: str, done: set[type]) -> list[str]:
    """One table a model, then those of the models that it holds."""
    if model in done:
        return []
    done.add(model)
    comments = _comments(model)
    head = ["| key | type | default | |", "|---|---|---|---|"]
    lines = [f"## {title}", "", inspect.getdoc(model) or "", "", *head]
    inner = []
    for name, field in model.model_fields.items():
        models = _models(field.annotation)
        inner += [(found, found.__name__) for found in models]
        lines.append(f"| `{name}` | {_type(field)} | {_default(field)} | {comments.get(name, '')} |")
    lines.append("")
    for found, name in inner:
        lines += _section(found, name, done)
    return lines


def _comments(model: type[BaseModel]) -> dict[str, str]:
    """What the source says behind each field."""
    found = {}
    for line in inspect.getsource(model).splitlines():
        code, hash_sign, comment = line.partition("  # ")
        if hash_sign and ":" in code:
            found[code.split(":")[0].strip()] = comment.strip().replace("|", "or")
    return found


def _models(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in typing.get_args(annotation) for model in _models(part)]


def _type(field: FieldInfo) -> str:
    bounds = [
        f"{sign} {getattr(rule, attribute):g}"
        for rule in field.metadata
        for attribute, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
        if hasattr(rule, attribute)
    ]
    return ", ".join([_name(field.annotation), *bounds])


def _name(annotation: object) -> str:
    """A type as a reader of YAML would put it."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _name(inner[0])
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_name(part) for part in inner))
    if origin is dict:
        return f"{_name(inner[0])}: {_name(inner[1])}"
    if origin is tuple:
        return "list of " + ", ".join(dict.fromkeys(_name(part) for part in inner if part is not Ellipsis))
    words = {int: "whole number", float: "number", str: "text", bool: "true or false", type(None): "null"}
    if annotation in words:
        return words[annotation]
    return f"[{annotation.__name__}](#{annotation.__name__.lower()})"


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    if isinstance(field.default, BaseModel):
        return ""
    if field.default is None:
        return "`null`"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    return f"`{list(field.default) if isinstance(field.default, tuple) else field.default}`"
