"""What an edit makes stale: the sources are edited in a copy, and `mimic check --keys` is asked there."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
Edit = tuple[str, str, str]  # file below src/mimic, text, what takes its place


@pytest.fixture(scope="module")
def params(tmp_path_factory) -> Path:
    """The paper's study with teachers and every student searched, cut from thousands of jobs to dozens."""
    paper = yaml.safe_load((ROOT / "presets/paper.yaml").read_text())
    for arm in ("students", "hard_label_twins", "dropout_twins", "weight_decay_twins"):
        paper[arm]["seeds"] = 1
        if paper["search"][arm]:
            paper["search"][arm] |= {"trials": 4, "at_once": 2}
    paper["search"]["teachers"] |= {"trials": 4, "at_once": 2}
    paper["ensemble"]["size"] = 4
    for part in (paper["students"]["variants"], paper["search"]["students"]["spaces"]):
        for family in set(part) - {"mlp1", "conv2"}:
            del part[family]
        for budget in ("3.16M", "31.6M"):
            del part["mlp1"][budget], part["conv2"][budget]
    file = tmp_path_factory.mktemp("paper") / "params.yaml"
    file.write_text(yaml.safe_dump(paper))
    return file


def ask(source: Path, params: Path) -> dict[str, str]:
    """The key of each job, with the package in `source`."""
    command = [sys.executable, "-m", "mimic", "check", "--keys", "--params", str(params)]
    environment = os.environ | {"PYTHONPATH": str(source)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def before(params) -> dict[str, str]:
    return ask(ROOT / "src", params)


@pytest.fixture
def stale(before, params, tmp_path) -> Callable[..., set[str]]:
    """The ids of jobs whose key is another after some edits."""

    def after(*edits: Edit) -> set[str]:
        source = Path(
            shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
        )
        for file, old, new in edits:
            path = source / "mimic" / file
            text = path.read_text() if path.exists() else ""
            assert old in text, (file, old)
            path.write_text(text.replace(old, new, 1))
        now = ask(source, params)
        return {job for job in before | now if before.get(job) != now.get(job)}

    return after


def steps(jobs: set[str]) -> set[str]:
    return {job.split("/")[0] for job in jobs}


def of(keys, *starts: str) -> set[str]:
    return {job for job in keys if job.startswith(starts)}


def test_other_budgets_make_every_student_stale_and_no_teacher(stale, before):
    edit = "config/parameters.py", '{"k": 1e3, "M": 1e6}', '{"k": 2e3, "M": 2e6}'
    found = stale(edit)
    arms = "logits", "labels", "dropout", "weight_decay"
    students = {job for job in before if any(f"-{arm}" in job for arm in arms)}
    assert found == students | {"comparison/comparison", "report/report"}
    assert of(before, "student/", "trial/mlp", "trial/conv", "proposal/mlp") <= found


def test_another_kernel_makes_its_family_stale_alone(stale, before):
    edit = "nets/families.py", '*group(2, "c2"), Flatten()', '*group(2, "c2"), *conv("c2"), Flatten()'
    found = stale(edit)
    assert found - {"comparison/comparison", "report/report"} == {
        job for job in before if job.split("/")[1].startswith("conv2-")
    }


def test_a_solver_that_finds_the_same_nets_makes_proposals_stale_and_no_student_that_was_not_searched(
    stale, before
):
    edit = "nets/budget.py", "        while True:\n", "        while not False:\n"
    found = stale(edit)
    assert of(before, "proposal/") <= found
    assert not of(found, "data/", "teacher/")


def test_fewer_digits_make_every_proposal_stale_and_what_follows(stale, before):
    found = stale(("search/spaces.py", "DIGITS = 4", "DIGITS = 2"))
    assert of(before, "proposal/", "trial/", "selection/", "ensemble/", "logits/", "student/") <= found
    assert not of(found, "data/", "teacher/")


def test_a_new_family_makes_nothing_stale_but_the_report(stale):
    entry = "        deep_mlp(2),\n"
    family = '        Family(name="wide", given=("fc",), widths="dependent", dependent="lfc",\n'
    family += '               hidden=(Flatten(), Linear("lfc"), *fc("fc"), *fc("fc"))),\n'
    assert stale(("nets/families.py", entry, family + entry)) <= {"report/report"}


def test_words_for_people_make_nothing_stale(stale):
    edits = [
        ("support/messages.py", "going on from", "continuing at"),
        ("support/messages.py", "interrupted by", "stopped by"),
        (
            "support/interrupt.py",
            "signal.SIGTERM, signal.SIGINT)",
            "signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)",
        ),
        ("training/member.py", '"""One training', '"""A training'),
        ("training/fit.py", "    live = [", "    # those that still train\n    live = ["),
        ("engine/runner.py", "already there", "is there already"),
        ("dag/steps.py", "train one teacher on hard labels", "train a teacher"),
        ("config/strict_yaml.py", "no such file", "not there"),
    ]
    assert stale(*edits) == set()


CUTOUT = (
    "data/image_parameters.py",
    "    hsv: Hsv = Hsv()\n",
    "    hsv: Hsv = Hsv()\n    cutout: int | None = None\n",
)
OPTIMISER = "    weight_decay: Decay = 0.0\n"
AVERAGING = (
    "training/recipe.py",
    OPTIMISER,
    f'{OPTIMISER}    averaging: Literal["none", "polyak"] = option("none")\n',
)
PART = """
from typing import ClassVar, Literal
from mimic.support.frozen import Frozen

class Plain(Frozen):
    kind: Literal["plain"] = "plain"
    copies: ClassVar[int] = 0
"""


def test_a_new_part_and_an_option_that_is_off_make_nothing_stale(stale):
    parts = ("training/optimisers/plain.py", "", PART), ("search/samplers/plain.py", "", PART)
    assert stale(*parts, CUTOUT, AVERAGING) == set()


def test_an_option_that_is_on_makes_stale_what_has_it(stale, before):
    on = CUTOUT[2].replace("= None", "= 8")
    found = stale((*CUTOUT[:2], on))
    assert found == set(before) - {"data/data"}


def test_a_default_that_is_no_option_makes_stale_who_relies_on_it(stale, before):
    line = "input_scale: Annotated[float, Field(gt=0, le=100)] = 1.0"
    found = stale(("training/recipe.py", line, line.replace("= 1.0", "= 1.1")))
    assert of(before, "student/") & found
    assert not of(found, "data/", "teacher/", "trial/teachers", "ensemble/", "logits/")


@pytest.mark.parametrize(
    "edit",
    [
        ("training/trainer.py", "CHECK_EVERY = 50", "CHECK_EVERY = 60"),
        ("training/optimisers/sgd.py", "nesterov=momentum > 0", "nesterov=False"),
    ],
    ids=lambda edit: edit[0],
)
def test_code_of_training_makes_stale_all_that_trains(stale, before, edit):
    found = stale(edit)
    assert found == set(before) - {"data/data", "proposal/teachers-r01", "proposal/teachers-random-r01"} - of(
        before, *(job for job in before if job.startswith("proposal/") and job.endswith("-r01"))
    )
