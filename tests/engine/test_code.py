"""Digests of code change with what code does, not with words for people or the Python that reads it."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mimic.engine import code
from mimic.engine.keys import code_of
from mimic.training.recipe import Teacher

ROOT = Path(__file__).parents[2]
CODE = '''
"""A module."""
import os
from a import b, c

class Task(Frozen):
    """Typed parameters."""
    size: int = 3

    @model_validator(mode="after")
    def _right(self):
        return self

    def twice(self) -> int:
        """Twice."""
        return 2 * self.size

def text(name: str, *, width=1, **more):
    match name:
        case {"x": [1, *rest]} if rest:
            return f"a{name!r:>{width}}" "b" f"{rest}{{}}"
    return [y := 1.0, -2, 1e-3, b"x", None, ..., *more]
'''


def digest(text: str) -> object:
    return code.canonical(ast.parse(text))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2 * self.size", "3 * self.size"),
        ("width=1", "width=2"),
        ("1.0", "1"),
        ("from a import b, c", "from other import b, c"),
        ("a{name!r", "A{name!r"),
        ("!r", "!s"),
        ("[1, *rest]", "[2, *rest]"),
    ],
)
def test_what_code_does_is_in_its_digest(old, new):
    assert old in CODE
    assert digest(CODE.replace(old, new)) != digest(CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A module."""', "# A comment"),
        ('"""Twice."""', ""),
        ("import os\nfrom a import b, c", "from a import c\nfrom a import b\nimport os"),
        ("    size: int = 3\n", '    size: int = 3\n    cutout: int | None = None\n    """pixels"""\n'),
        ("        return self\n", "        return self.checked()\n"),
        ("name: str", "name: bytes"),
        ("-> int", '-> "float"'),
        ("return 2 * self.size", "return (2\n            * self.size)"),
        ('"b" f"{rest}', 'f"b{rest}'),
    ],
)
def test_words_types_and_layout_are_not(old, new):
    assert old in CODE
    assert digest(CODE.replace(old, new)) == digest(CODE)


@pytest.mark.parametrize("alias", ["Annotated[A | B, Field()]", 'Literal["a"]', "tuple[int, ...]"])
def test_names_for_types_leave_no_trace(alias):
    assert digest(f"{CODE}\nKind = {alias}\n") == digest(CODE) != digest(f"{CODE}\nKind = table[0]\n")


def test_what_a_class_of_parameters_holds_for_all_is_code():
    held = "    size: int = 3\n    draws: ClassVar[int] = 2\n"
    assert digest(CODE.replace("    size: int = 3\n", held)) != digest(CODE)


def test_a_job_s_code_has_the_parts_that_its_task_holds_and_its_step_calls():
    part, teacher = "mimic.training.optimisers.sgd", Teacher(
        filters=(1, 1, 1), hidden=1, learning_rate=0.1, momentum=0.9, weight_decay=0.0
    )  # fmt: skip
    assert part in code_of("teacher", teacher)
    assert part not in code_of("teacher") | code_of("proposal", teacher) | code_of("evaluation", teacher)


def test_parts_are_reached_through_tasks_alone():
    """A step that named a part, except as a default of typed parameters, would hide its code from the key."""
    for package in ("data", "nets", "training", "distill", "search", "evaluation"):
        for path in (ROOT / "src/mimic" / package).rglob("*.py"):
            tree = ast.parse(path.read_text())
            if ".".join(path.parent.relative_to(ROOT / "src").parts) in code.PARTS:
                continue
            parts = {
                alias.asname or alias.name
                for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom) and node.module.rpartition(".")[0] in code.PARTS
                for alias in node.names
            }
            typed = code._frozen_classes(tree)
            rest = [n for n in tree.body if not (isinstance(n, ast.ClassDef) and n.name in typed)]
            used = {n.id for node in rest for n in ast.walk(node) if isinstance(n, ast.Name)}
            assert not parts & used, path


def test_fields_of_other_classes_are_code():
    text = "@dataclass\nclass State:\n    step: int = 0\n"
    assert digest(text) != digest(text.replace("0", "1"))


def pythons() -> list[str]:
    """This Python, and others on the PATH that run."""
    names = [sys.executable, *(f"python3.{minor}" for minor in range(11, 20))]
    found = [path for name in names if (path := shutil.which(name))]
    return [p for p in found if subprocess.run([p, "--version"], capture_output=True).returncode == 0]


def test_every_python_gives_the_same_digests():
    """Where no other Python is installed this compares one with the digest that another once gave."""
    dump = "import sys, json, hashlib, ast; from mimic.engine import code; "
    dump += "steps = json.loads(sys.argv[1]); "
    dump += "print(json.dumps([code.code(step) for step in steps], sort_keys=True)); "
    dump += "print(hashlib.md5(json.dumps(code.canonical(ast.parse(sys.stdin.read()))).encode()).hexdigest())"
    steps = json.dumps(["mimic.report.page", "mimic.search.trials", "mimic.evaluation.measure"])
    said = {
        subprocess.run(
            [python, "-c", dump, steps],
            input=CODE, capture_output=True, text=True, check=True,
            env={"PYTHONPATH": str(ROOT / "src"), "PATH": os.environ["PATH"]},
        ).stdout
        for python in pythons()
    }  # fmt: skip
    assert len(said) == 1
    assert said.pop().splitlines()[1] == DIGEST


DIGEST = "a98bdb0c6c203516d14ce8dda9d97bd7"


def test_only_numerics_are_in_a_training_s_key():
    keyed = {"data", "nets", "training", "distill", "search"}
    for step in ("data", "teacher", "trial", "student", "logits"):
        assert {module.split(".")[1] for module in code_of(step)} <= keyed
    assert "mimic.training.fit" in code_of("teacher")
    assert "mimic.training.fit" not in code_of("data")
    assert "report/page/report.html" in code_of("report")


def test_labelling_needs_no_training_loop_and_training_no_solver():
    loop = {f"mimic.training.{name}" for name in ("fit", "member", "train", "trainer", "schedules")}
    assert not loop & set(code_of("logits"))
    solver = {"mimic.nets.budget", "mimic.nets.families"}
    for step in ("teacher", "student", "trial", "ensemble", "logits", "evaluation"):
        assert not solver & set(code_of(step)), step
