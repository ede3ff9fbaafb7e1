"""`mimic schema`: docs/parameters.md and params.schema.json, written from the types of params.yaml."""

import ast
import inspect
import json
import re
from collections import ChainMap
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

from mimic.config.parameters import Parameters
from mimic.support import publish
from mimic.support.errors import MimicError
from mimic.support.frozen import Frozen

PAGE, SCHEMA = Path("docs/parameters.md"), Path("params.schema.json")
HEAD = """# Parameters

A study is one file, `params.yaml`. Unknown keys, wrong types and values out of bounds are refused
before any job starts. The file is YAML 1.2, as DVC reads it: `no` is text, `1e-3` a number. An editor that
knows YAML's language server completes and explains keys: each preset names the schema in its first line.
The kind alone of an optimiser, loss, schedule, transform or algorithm will do where that needs nothing else:
`loss: l2` is `loss: {kind: l2}`.

`mimic schema --fix` writes this page, and [params.schema.json](../params.schema.json), from the
types.
"""
WORDS = {"integer": "whole number", "number": "number", "string": "text"}
WORDS |= {"boolean": "true or false", "null": "`null`"}
SAID = ("title", "off", "elsewhere")  # words of schemas; as names of keys they stand before a dict
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def run(options) -> int:
    """Check that both files are in step with the types, exit status 1 if not; or write them.

    Raises MimicError where the folder isn't the project's.
    """
    if not PAGE.parent.is_dir():
        raise MimicError(f"{PAGE.parent}: no such folder; go to the folder of the Snakefile")
    texts = {PAGE: page(schema()), SCHEMA: json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"}
    wrong = [path for path, text in texts.items() if not path.exists() or path.read_text("utf-8") != text]
    names = " and ".join(map(str, wrong))
    if options.fix:
        for path in wrong:
            publish.write_text(path, texts[path])
        print(f"written: {names or 'nothing, all is in step'}")
    elif wrong:
        print(f"{names}: not in step with the types; `python -m mimic schema --fix` writes them")
        return 1
    return 0


def schema() -> dict:
    """The JSON schema of params.yaml, without titles, which repeat keys, and what is said to jobs' keys."""

    def trimmed(part: dict) -> dict:
        return {name: value for name, value in part.items() if name not in SAID or isinstance(value, dict)}

    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    whole = dialect | Parameters.model_json_schema()
    for group in (whole, *whole["$defs"].values()):
        for field, text in _texts_below_fields().get(group["title"], {}).items():
            group["properties"][field]["description"] = text
    return json.loads(json.dumps(whole), object_hook=trimmed)


@cache
def _texts_below_fields() -> dict[str, dict[str, str]]:
    """Of every group of parameters, by name, the text below each field, its own or inherited."""

    def texts(group: type) -> dict[str, str]:
        body = ast.parse(dedent(inspect.getsource(group))).body[0].body
        return {
            field.target.id: inspect.cleandoc(text.value.value)
            for field, text in pairwise(body)
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)
        }

    def below(group: type) -> Iterator[type]:
        for part in group.__subclasses__():
            yield part
            yield from below(part)

    found: dict[str, dict[str, str]] = {}
    for group in below(Frozen):
        inherited = [found[base.__name__] for base in group.__mro__[1:] if base.__name__ in found]
        found[group.__name__] = ChainMap(texts(group), *inherited)
    return found


def takes(keys: Sequence[str]) -> set[str]:
    """The kinds of values that stand under nested `keys` of params.yaml, in words of JSON schemas."""
    whole = schema()

    def kinds(part: dict) -> Iterator[dict]:
        if "$ref" in part:
            part = whole["$defs"][part["$ref"].rpartition("/")[2]]
        for choice in part.get("anyOf") or part.get("oneOf") or ():
            yield from kinds(choice)
        yield part

    parts = [whole]
    for key in keys:
        groups = [group for part in parts for group in kinds(part)]
        parts = [group.get("properties", {}).get(key) or _of_any_key(group) for group in groups]
    return {kind["type"] for part in parts for kind in kinds(part) if "type" in kind}


def page(schema: dict) -> str:
    """docs/parameters.md: a table for each group of keys, in the order in which a reader meets them."""
    names = list(dict.fromkeys(_met(schema, schema["$defs"])))
    tables = [_table("The study", schema), *(_table(name, schema["$defs"][name]) for name in names)]
    return "\n".join([HEAD, *tables])


def _met(group: dict, groups: dict[str, dict]) -> Iterator[str]:
    """The names of the groups that a group holds, each before those that it holds itself."""
    for name in re.findall(r'"\$ref": "#/\$defs/(\w+)"', json.dumps(group["properties"])):
        yield name
        yield from _met(groups[name], groups)


def _table(title: str, group: dict) -> str:
    rows = [
        f"| `{key}` | {_type(field)} | {_default(field, key in group.get('required', ()))} "
        f"| {field.get('description', '')} |\n"
        for key, field in group["properties"].items()
    ]
    text = " ".join(group["description"].split())
    return f"## {title}\n\n{text}\n\n| key | type | default | |\n|---|---|---|---|\n{''.join(rows)}"


def _type(field: dict) -> str:
    """The type of a value, as a reader of YAML would put it."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if choices := field.get("anyOf") or field.get("oneOf"):
        return " or ".join(_type(choice) for choice in choices)
    if "const" in field or "enum" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    if field["type"] == "array":
        items = field.get("prefixItems") or [field["items"]]
        return "list of " + ", ".join(dict.fromkeys(map(_type, items)))
    if field["type"] == "object":
        name = _type({"type": "string"} | field.get("propertyNames", {}))
        return f"{name}: {_type(_of_any_key(field))}"
    bounds = [f"{sign} {field[bound]:g}" for bound, sign in BOUNDS.items() if bound in field]
    return ", ".join([WORDS[field["type"]], *bounds])


def _of_any_key(group: dict) -> dict:
    """The values of a group whose keys a person names; {} for a group of fixed keys."""
    (value,) = group.get("patternProperties", {"": group.get("additionalProperties")}).values()
    return value or {}


def _default(field: dict, required: bool) -> str:
    """The value of a key that isn't given; of a part its kind, of a group nothing: its table has the rest."""
    if required:
        return "required"
    value = field["default"]
    if isinstance(value, dict) and value:
        return f"`{value['kind']}`" if "kind" in value else ""
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"
