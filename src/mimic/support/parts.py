"""Parts: typed parameters that come in kinds, each a class with what it does, in a module of its own."""

import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Annotated, Any, Literal, Union

from pydantic import BeforeValidator, Field

from mimic.support.frozen import Frozen, asked


def one_of(package: str, among: Callable[[type], bool] = lambda part: True) -> Any:
    """The type of a part of `package`: the union of the classes that its modules define, told apart by kind.

    A part more is a module more: params.yaml, its schema and its messages follow. A kind alone, `l2`, stands
    for `{kind: l2}`; the schema offers it where no parameter is required.
    """
    classes = tuple(filter(among, parts_of(package)))
    part = Annotated[Union[classes], Field(discriminator="kind")] if len(classes) > 1 else classes[0]  # noqa: UP007
    alone = Literal[tuple(kind(part) for part in classes if _is_complete(part))]
    return Annotated[part, BeforeValidator(_in_full, json_schema_input_type=part | alone)]


def parts_of(package: str) -> tuple[type[Frozen], ...]:
    """The classes of the parts in `package`, in the order of their modules' names."""
    folder = import_module(package).__path__
    modules = [import_module(f"{package}.{module.name}") for module in pkgutil.iter_modules(folder)]
    return tuple(part for module in modules for part in vars(module).values() if _is_part(part, module))


def kind(part: type[Frozen]) -> str:
    """What params.yaml calls the parts of a class."""
    return part.model_fields["kind"].default


def called(part: Frozen) -> str:
    """A part in words: the first sentence of its docstring, then its parameters without options off."""
    text = type(part).__doc__.partition(".")[0]
    if text.partition(" ")[0][1:].islower():  # an ordinary word
        text = text[0].lower() + text[1:]
    return ", ".join([text, *_words({name: v for name, v in asked(part).items() if name != "kind"})])


def _in_full(value: object) -> object:
    return {"kind": value} if isinstance(value, str) else value


def _is_complete(part: type[Frozen]) -> bool:
    """Whether its kind is all that has to be said."""
    return not any(field.is_required() for field in part.model_fields.values())


def _words(parameters: dict) -> Iterator[str]:
    """`epsilon 0.001`, and `targets standardise` of an option in a group."""
    for name, value in parameters.items():
        if isinstance(value, dict):
            yield from (f"{name} {words}" for words in _words(value))
        else:
            yield name if value is True else f"{name} {value if isinstance(value, str) else f'{value:g}'}"


def _is_part(value: object, module: object) -> bool:
    is_own = isinstance(value, type) and value.__module__ == module.__name__
    return is_own and issubclass(value, Frozen) and "kind" in value.model_fields
