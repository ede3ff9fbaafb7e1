"""Typed parameters: what is asked of a job, checked when it is read and never changed."""

import ast
import inspect
import sys
from textwrap import dedent
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.]*$", max_length=60)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, le=10)]
DropoutRate = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[int, Field(ge=1)]
Momentum = Annotated[float, Field(ge=0, lt=1)]
Decay = Annotated[float, Field(ge=0, le=1)]


class Frozen(BaseModel):
    """A group of parameters: unknown keys are errors, nothing is converted, nothing changes.

    A text below a field describes it in docs/parameters.md and params.schema.json. `mimic schema` reads these
    texts: pydantic would at every start of a process, from the sources, for a quarter of a second.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    def __init_subclass__(cls, **settings) -> None:
        """Docstrings are texts of the schema and the report, also where `python -OO` strips them."""
        super().__init_subclass__(**settings)
        if sys.flags.optimize > 1:
            cls.__doc__ = ast.get_docstring(ast.parse(dedent(inspect.getsource(cls))).body[0])


def option(off: object, **constraints) -> Any:
    """The field of an option whose default is `off`: with that value it leaves no trace in a key."""
    return Field(off, json_schema_extra={"off": off}, **constraints)


def elsewhere(default: object, **constraints) -> object:
    """A field that says where something lies or how it gets there, never what it is: in no key."""
    return Field(default, json_schema_extra={"elsewhere": True}, **constraints)


def asked(value: object) -> object:
    """What a result can depend on, as JSON: without options that are off and without places.

    None is off, everywhere. Everything else stands there in full, so that a changed default is a change.
    """
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {name: asked(item) for name, item in value if not _leaves_no_trace(fields[name], item)}
    if isinstance(value, dict):
        return {key: asked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [asked(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: asked(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


def _leaves_no_trace(field, value: object) -> bool:
    extra = field.json_schema_extra or {}
    return value is None or "elsewhere" in extra or ("off" in extra and value == extra["off"])
