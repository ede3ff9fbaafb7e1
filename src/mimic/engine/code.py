"""The code that a step's results can depend on, as digests that every Python gives alike.

A step's code is its module and all that this imports of the packages in `KEYED`. What lies elsewhere in
mimic is neutral: it says where, when and in which words a result is made, never what it is. That is a
boundary between packages, and import-linter (pyproject.toml) holds it.

Parts (optimisers, transforms, …) are met through the task alone: a step's code holds none, and a job's code
those that its task holds. So a part more makes no job stale.
"""

import ast
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
KEYED = ("data", "nets", "training", "distill", "search", "evaluation", "report")

# The packages of parts, and the module that calls what is in them.
PARTS = {
    "mimic.search.samplers": "mimic.search.propose",
    "mimic.data.transforms": "mimic.data.augment",
    "mimic.training.losses": "mimic.training.trainer",
    "mimic.training.schedules": "mimic.training.trainer",
    "mimic.training.optimisers": "mimic.training.trainer",
}

# What syntax trees hold and no result depends on: places, contexts, annotations of functions.
LEFT_OUT = {"ctx", "kind", "type_comment", "type_ignores", "annotation", "returns"}

# Imports that leave no trace, besides those of neutral parts of mimic: words for types.
FOR_TYPES = {"typing", "collections.abc", "pydantic"}
ALIASES = {"Annotated", "Callable", "Literal", "dict", "list", "tuple"}  # subscripted: names for types


@cache
def code(module: str) -> dict[str, str]:
    """Digests of `module` and of every keyed module that it imports, directly or not."""
    waiting, seen = [module], set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(_imports(name))
    return {name: _digest(name) for name in sorted(seen)}


def parts(task: object, modules: frozenset[str]) -> set[str]:
    """The modules of the parts that a task holds, of those that a step with these `modules` calls."""
    return {part for part in _held(task) if PARTS[_package(part)] in modules}


def _held(value: object) -> Iterator[str]:
    """The modules of the parts in a value, at any depth, options that are off included."""
    if isinstance(value, dict):
        value = value.values()
    elif hasattr(type(value), "model_fields"):  # typed parameters; this module asks nothing but Python
        if _is_part(module := type(value).__module__):
            yield module
        value = vars(value).values()
    elif not isinstance(value, list | tuple):
        return
    for item in value:
        yield from _held(item)


def _package(module: str) -> str:
    return module.rpartition(".")[0]


def _is_part(module: str) -> bool:
    return module in PARTS or _package(module) in PARTS


@cache
def files(package: str) -> dict[str, str]:
    """Digests of the files other than code in a package (the report's templates)."""
    folder = PACKAGE / package
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc"))
    return {p.relative_to(PACKAGE).as_posix(): hashlib.md5(p.read_bytes()).hexdigest() for p in paths}


@cache
def _digest(module: str) -> str:
    text = json.dumps(canonical(_tree(module)), separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_file(module).read_text(encoding="utf-8"))


def _file(module: str) -> Path | None:
    base = PACKAGE.parent.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


@cache
def _imports(module: str) -> frozenset[str]:
    """The keyed modules that `module` imports anywhere in its text, parts only where it is one itself."""
    names = set()
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    keyed = {name for name in names if _is_keyed(name) and _file(name)}
    return frozenset(name for name in keyed if _is_part(module) or not _is_part(name))


def _is_keyed(module: str) -> bool:
    parts = module.split(".")
    return parts[0] == "mimic" and len(parts) > 1 and parts[1] in KEYED


def canonical(tree: ast.Module) -> object:
    """A syntax tree as JSON: without comments, layout, docstrings, annotations, or the order of imports.

    Nor does it hold the fields and validators of typed parameters (classes of `Frozen`), or names for
    types: whatever they let through, defaults included, stands in the task. So an option more, that is off,
    changes no digest.
    """
    return _node(tree, _frozen_classes(tree))


def _node(node: object, frozen: set[str]) -> object:
    if isinstance(node, list):
        return [_node(item, frozen) for item in node]
    if isinstance(node, ast.Constant):
        return [type(node.value).__name__, repr(node.value)]
    if not isinstance(node, ast.AST):
        return node
    content = [type(node).__name__]
    for name, value in ast.iter_fields(node):  # Pythons differ in which empty fields there are
        if name in LEFT_OUT and not isinstance(node, ast.AnnAssign):
            continue
        if name == "body" and isinstance(value, list):
            value = _statements(value, is_frozen=isinstance(node, ast.ClassDef) and node.name in frozen)
        if name == "values" and isinstance(node, ast.JoinedStr):
            value = list(_merged(value))
        if value is not None and value != []:
            content.append([name, _node(value, frozen)])
    return content


def _statements(body: list[ast.stmt], is_frozen: bool) -> list[ast.AST]:
    """A block's statements that do something, its imports first and in the order of their names."""
    imports, others = {}, []
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for alias in statement.names:
                if _counts(getattr(statement, "module", None) or alias.name):
                    one = type(statement)(**dict(ast.iter_fields(statement)) | {"names": [alias]})
                    imports[ast.unparse(one)] = one
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue  # a docstring, of a field or of the block; or `...`
        elif not (_is_alias(statement) or (is_frozen and _is_declaration(statement))):
            others.append(statement)
    return [imports[text] for text in sorted(imports)] + others


def _counts(module: str) -> bool:
    if module.split(".")[0] == "mimic":
        return _is_keyed(module) and not _is_part(module)
    return module not in FOR_TYPES


def _is_alias(statement: ast.stmt) -> bool:
    """Whether a statement names a type, such as `Schedule = Annotated[OneCycle | Patience, …]`."""
    named = isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Subscript)
    return named and isinstance(statement.value.value, ast.Name) and statement.value.value.id in ALIASES


def _is_declaration(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.FunctionDef):
        names = {
            node.id
            for mark in statement.decorator_list
            for node in ast.walk(mark)
            if isinstance(node, ast.Name)
        }
        return bool(names & {"model_validator", "field_validator"})
    return isinstance(statement, ast.AnnAssign) and "ClassVar" not in ast.unparse(statement.annotation)


def _frozen_classes(tree: ast.Module) -> set[str]:
    """Classes of the module that are typed parameters: of Frozen, or of another one here."""
    classes, known = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)], {"Frozen"}
    for _ in classes:
        known |= {c.name for c in classes if any(isinstance(b, ast.Name) and b.id in known for b in c.bases)}
    return known


def _merged(values: list[ast.expr]) -> Iterator[ast.expr]:
    """The parts of an f-string, neighbouring texts as one: Pythons divide them differently."""
    text = ""
    for value in values:
        if isinstance(value, ast.Constant):
            text += value.value
            continue
        if text:
            yield ast.Constant(text)
        yield value
        text = ""
    if text:
        yield ast.Constant(text)
