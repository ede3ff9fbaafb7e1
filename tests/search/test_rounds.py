"""A search as files: proposals, the trials of their points, and the selection among these."""

import json
from pathlib import Path

import pandas as pd
import pytest

from mimic.data.image_parameters import Augmentation, Hsv
from mimic.engine.code import code
from mimic.nets.families import STUDENTS, teacher
from mimic.nets.layers import count
from mimic.search import trials
from mimic.search.points import net_of
from mimic.search.rounds import propose_round
from mimic.search.spaces import (
    Goal,
    MedianRule,
    ProposalTask,
    Range,
    SelectionTask,
    StudentSpace,
    TeacherSpace,
    TrialTask,
)
from mimic.search.winners import select_trials
from mimic.support.context import Context
from mimic.training.losses.cross_entropy import CrossEntropy
from mimic.training.models import load_bundle
from mimic.training.recipe import Student, StudentDropout, StudentTask, Teacher, TeacherTask
from mimic.training.schedules.one_cycle import OneCycle

CLASSES, SIZE = 3, 16
COMMON = {
    "seed": 1,
    "precision": "fp32",
    "augmentation": Augmentation(window=(12, 16)),
    "batch_size": 20,
    "schedule": OneCycle(epochs=2),
}
GOAL = Goal(family=STUDENTS["conv2"], parameters=10_000, classes=CLASSES, image_size=SIZE)
STUDENT = Student(learning_rate=0.02, momentum=0.9, widths={"c1": 4, "c2": 6})
TEACHER = Teacher(filters=(2, 3, 4), hidden=5, learning_rate=0.05, momentum=0.9, weight_decay=0.0)
STUDENT_TASK = StudentTask(
    **COMMON,
    transfer_epochs=2,
    loss=CrossEntropy(),
    family="conv2",
    budget="10k",
    arm="labels",
    repetition=1,
    student=STUDENT,
    net=net_of(GOAL, STUDENT),
)
TEACHER_GOAL = Goal(family=teacher(True), parameters=0, classes=CLASSES, image_size=SIZE)
TEACHER_TASK = TeacherTask(**COMMON, teacher=TEACHER, net=net_of(TEACHER_GOAL, TEACHER))
SPACE = StudentSpace(
    learning_rate=Range(low=0.001, high=0.1, log=True),
    dropout={"conv1": Range(low=0.0, high=0.5)},
    widths={"c1": Range(low=2.0, high=8.0)},
)
TEACHER_SPACE = TeacherSpace(hidden=Range(low=6.0, high=90.0), hsv={"Dh": Range(low=0.01, high=0.1)})
SEARCHES = {
    "conv2-10k-labels": {"default": STUDENT_TASK, "space": SPACE, "goal": GOAL},
    "teachers": {"default": TEACHER_TASK, "space": TEACHER_SPACE, "goal": TEACHER_GOAL},
}
POINTS = 2  # of a round


class Search:
    """Two rounds of a search, done by hand in a folder."""

    def __init__(self, name: str, folder: Path, data: Path) -> None:
        self.name, self.folder, self.data = name, folder, data
        self.asked = SEARCHES[name]
        self.proposals: dict[str, Path] = {}
        self.trials: dict[str, Path] = {}

    def context(self, name: str, task, **inputs: Path) -> Context:
        out = self.folder / name
        out.mkdir(exist_ok=True)
        training = self.folder / "training" / name
        return Context(task, out, inputs, name, training, progress=lambda line: None, identity={"key": name})

    def propose(self, number: int) -> dict:
        """The proposal of a round, in view of all trials so far."""
        options = {"algorithm": "random", "stopping": MedianRule(epochs=(1,)), "points": POINTS}
        task = ProposalTask(**self.asked, **options, round=number)
        name = f"{self.name}-r{number:02d}"
        earlier = {f"trial/{trial}": folder for trial, folder in self.trials.items()}
        context = self.context(name, task, **earlier)
        propose_round(context)
        self.proposals[name] = context.out
        return json.loads((context.out / "proposal.json").read_text())

    def contexts(self, number: int) -> list[Context]:
        """Those of a round's trials."""
        proposal = f"{self.name}-r{number:02d}"
        upstream = {"data/data": self.data, f"proposal/{proposal}": self.proposals[proposal]}
        return [
            self.context(
                f"{proposal}-t{index:02d}",
                TrialTask(index=index, number=POINTS * (number - 1) + index, default=self.asked["default"]),
                **upstream,
            )
            for index in range(1, POINTS + 1)
        ]

    def train(self, number: int) -> list[dict]:
        """The records of a round's trials."""
        done = list(trials.train(self.contexts(number)))
        self.trials |= {context.name: context.out for context in sorted(done, key=lambda c: c.name)}
        return [self.record(context.name) for context in self.contexts(number)]

    def record(self, trial: str) -> dict:
        return json.loads((self.folder / trial / "record.json").read_text())

    def select(self, averaged: int) -> Path:
        task = SelectionTask(**self.asked, averaged=averaged, algorithm="random")
        inputs = {f"proposal/{name}": folder for name, folder in self.proposals.items()}
        inputs |= {f"trial/{name}": folder for name, folder in self.trials.items()}
        out = self.folder / "selection"
        out.mkdir()
        select_trials(Context(task, out, inputs, self.name, progress=lambda line: None))
        return out


@pytest.fixture(scope="module", params=SEARCHES)
def search(request, data, tmp_path_factory):
    """A search after two rounds, with the proposals and records of each."""
    search = Search(request.param, tmp_path_factory.mktemp("search"), data)
    search.rounds = [(search.propose(number), search.train(number)) for number in (1, 2)]
    return search


def test_a_proposal_holds_points_and_the_nets_that_they_make(search):
    for proposal, _ in search.rounds:
        assert len(proposal["points"]) == len(proposal["hyperparameters"]) == len(proposal["nets"]) == POINTS
    first = search.rounds[0][0]
    default = search.asked["default"].model_dump(mode="json")
    assert first["origins"] == ["default", "random"]
    assert first["nets"][0] == default["net"]
    assert first["nets"][1] != default["net"]


def test_a_trial_trains_the_net_of_its_point(search):
    for proposal, records in search.rounds:
        for point, net, record in zip(proposal["points"], proposal["nets"], records, strict=True):
            assert record["hyperparameters"]["net"] == net
            task = record["hyperparameters"]
            model = task["teacher" if record["kind"] == "teacher" else "student"]
            for name, value in point.items():
                group, _, key = name.partition(".")
                assert (model[group][key] if key else model[group]) == value


def test_earlier_rounds_set_the_limits_of_later_ones(search):
    (first, records), (second, _) = search.rounds
    assert first["limits"] == {}
    histories = [(folder / "history.jsonl").read_text() for folder in search.trials.values()][:POINTS]
    errors = [json.loads(history.splitlines()[0])["validation_error"] for history in histories]
    assert second["limits"] == {"1": sum(errors) / 2}
    assert len(records) == 2


def test_all_that_a_trial_depends_on_is_settled_by_its_proposal(search):
    for number, (proposal, records) in enumerate(search.rounds, start=1):
        for context, record in zip(search.contexts(number), records, strict=True):
            settled = trials.settled(context)
            assert settled["task"] == record["hyperparameters"]
            assert settled["limits"] == {int(epoch): limit for epoch, limit in proposal["limits"].items()}


def test_the_selection_is_of_the_best_with_its_net_and_weights(search):
    folder = search.select(averaged=2)
    content = json.loads((folder / "selection.json").read_text())
    records = {name: search.record(name) for name in search.trials}
    merit = {name: (-r["validation_accuracy"], r["validation_loss"]) for name, r in records.items()}
    ranked = sorted(records, key=merit.get)
    assert content["averaged"] == ranked[:2]
    assert content["best"] == ranked[0]
    assert content["net"] == records[ranked[0]]["hyperparameters"]["net"]
    assert content["default"].endswith("-r01-t01")
    nets = load_bundle(folder / "best.safetensors", content["records"], SIZE)
    for name, net in nets.items():
        assert sum(weight.numel() for weight in net.parameters()) == records[name]["parameters"]
    table = pd.read_csv(folder / "trials.csv")
    assert list(table["trial"]) == list(search.trials)
    assert list(table["origin"]) == ["default", "random", "random", "random"]


def test_searched_teachers_have_seeds_and_colours_of_their_own(tmp_path, data):
    search = Search("teachers", tmp_path, data)
    points = search.propose(1)["points"]
    tasks = [trials.whole_task(context) for context in search.contexts(1)]
    assert [task.teacher.seed for task in tasks] == [trials.FIRST_SEED + 1, trials.FIRST_SEED + 2]
    for task, point in zip(tasks, points, strict=True):
        assert task.augmentation.hsv == task.teacher.hsv == Hsv(Dh=point["hsv.Dh"])


def test_a_trials_net_meets_the_budget_with_the_dropout_of_its_point(tmp_path, data):
    search = Search("conv2-10k-labels", tmp_path, data)
    second = search.propose(1)["points"][1]
    task = trials.whole_task(search.contexts(1)[1])
    assert isinstance(task, StudentTask)
    assert task.student.dropout == StudentDropout(conv1=second["dropout.conv1"])
    assert count(task.net, 3, SIZE) == pytest.approx(10_000, rel=0.02)


def test_another_family_makes_no_trial_stale():
    """Its task holds the net that was solved: trials need neither families nor budgets."""
    for module in ("mimic.search.trials", "mimic.distill.students", "mimic.training.train"):
        needed = code(module).keys()
        assert "mimic.nets.layers" in needed
        assert not needed & {"mimic.nets.families", "mimic.nets.family", "mimic.nets.budget"}
    assert "mimic.nets.families" not in code("mimic.search.rounds")
