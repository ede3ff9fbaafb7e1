"""The one reader of YAML: version 1.2, by the library with which DVC reads the same files.

A file from anywhere costs a second and one line at most: what is ambiguous or could do harm is refused. The
bounds are ours, far above any study.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mimic.support.errors import MimicError

BYTES = 2**18
DEPTH = 50  # lists and mappings within each other
VALUES = 20_000  # with aliases written out
DIGITS = 100  # of a number
TAG = "tag:yaml.org,2002:"
TEXTS = {f"{TAG}{kind}" for kind in ("str", "merge", "value")}
TAGS = TEXTS | {f"{TAG}{kind}" for kind in ("map", "seq", "null", "bool", "int", "float", "timestamp")}


def read_yaml(path: Path) -> object:
    """The content of a YAML file. Raises MimicError naming file and line when it can not be read."""
    return parse_yaml(read_text(path), path)


def read_text(path: Path) -> str:
    """The content of a text file. Raises MimicError naming the file when it can not be read."""
    try:
        with open(path, "rb") as file:
            content = file.read(BYTES + 1)
        if len(content) > BYTES:
            raise MimicError(f"{path}: holds more than {BYTES} bytes; no parameter file needs that")
        return content.decode("utf-8")
    except FileNotFoundError:
        raise MimicError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or a NUL in the name
        raise MimicError(f"{path}: can not be read: {error}") from None


def parse_yaml(text: str, origin: object) -> object:
    """The content of a YAML text. Raises MimicError naming `origin`, and the line, of what is refused."""
    yaml = YAML(typ="safe", pure=True)
    try:
        return _Values(yaml).of(yaml.compose(text))
    except MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise MimicError(f"{origin}{line}: not valid YAML: {error.problem}") from None
    except RecursionError:
        raise MimicError(f"{origin}: not valid YAML: more than {DEPTH} levels deep") from None
    except (YAMLError, ValueError) as error:
        raise MimicError(f"{origin}: not valid YAML: {str(error).splitlines()[0]}") from None


@dataclass(frozen=True)
class _Value:
    """What a node stands for."""

    content: object
    values: int = 1  # within it, itself included
    depth: int = 0


class _Values:
    """Makes values of nodes; what several aliases name is made once and counted for each."""

    def __init__(self, yaml: YAML) -> None:
        self._yaml = yaml
        self._made: dict[Node, _Value | None] = {}  # None: at work

    def of(self, node: Node | None) -> object:
        """The content of a whole document. Raises MarkedYAMLError."""
        return None if node is None else self._make(node).content

    def _make(self, node: Node) -> _Value:
        if node in self._made:
            if (made := self._made[node]) is None:
                raise _refused("an alias stands within what it names", node)
            return made
        self._made[node] = None
        if node.tag not in TAGS:
            raise _refused(f"{node.tag}: no such kind of value here; remove it", node)
        match node:
            case MappingNode():
                made = self._mapping(node)
            case SequenceNode():
                parts = [self._make(item) for item in node.value]
                made = _around([part.content for part in parts], parts)
            case _:
                made = _Value(self._scalar(node))
        if made.depth > DEPTH:
            raise _refused(f"more than {DEPTH} levels deep", node)
        if made.values > VALUES:
            raise _refused(f"more than {VALUES} values, with aliases written out", node)
        self._made[node] = made
        return made

    def _mapping(self, node: MappingNode) -> _Value:
        own, merged, parts, seen = {}, {}, [], set()
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                raise _refused("a key must be text", key_node)
            key, part = self._make(key_node).content, self._make(value_node)
            parts.append(part)
            if key in seen:
                raise _refused(f"key {key_node.value!r} is given twice", key_node)
            seen.add(key)
            if key_node.tag == TAG + "merge":
                merged = dict(self._merged(value_node))
            else:
                own[key] = part.content
        return _around(merged | own, parts)

    def _merged(self, node: Node) -> Iterator[tuple[object, object]]:
        """What the mapping or list of mappings holds that `<<` names; of equal keys the last counts."""
        for source in reversed(node.value) if isinstance(node, SequenceNode) else [node]:
            if not isinstance(source, MappingNode):
                raise _refused("<< takes a mapping or a list of them", source)
            yield from self._make(source).content.items()

    def _scalar(self, node: ScalarNode) -> object:
        if node.tag in TEXTS:
            return node.value
        if len(node.value) > DIGITS:
            raise _refused(f"a number of {len(node.value)} characters", node)
        try:
            return self._yaml.constructor.construct_object(node)
        except (ValueError, KeyError):  # a date such as 2020-13-01; `!!bool x`
            raise _refused(f"{node.value!r} is no {node.tag.removeprefix(TAG)}", node) from None


def _around(content: dict | list, parts: list[_Value]) -> _Value:
    depth = 1 + max((part.depth for part in parts), default=0)
    return _Value(content, 1 + sum(part.values for part in parts), depth)


def _refused(problem: str, node: Node) -> MarkedYAMLError:
    return MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
