"""The proposal of a round, from the files of earlier trials to a file of its own."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from mimic.core.parameters import Student, Teacher
from mimic.core.publish import write_json
from mimic.core.tasks import ProposalTask, TeacherTask
from mimic.search.check import misfit
from mimic.search.files import default_of, dimensions_of
from mimic.search.points import Dimension, Point, apply_point, default_point
from mimic.search.propose import propose
from mimic.search.samplers import Trained
from mimic.search.stopping import Course, limits
from mimic.training.models import read_record


def propose_round(
    task: ProposalTask, search: str, trials: Mapping[str, Path], path: Path, progress: Callable[[str], None]
) -> None:
    """Write proposal.json: the points of a round, given the folders of all earlier trials in order."""
    started = time.perf_counter()
    records = [read_record(folder) for folder in trials.values()]
    searched, default = dimensions_of(task), default_of(task)
    history = [_trained(record, searched) for record in records]
    courses = [
        Course.of(_read_history(folder), record["status"])
        for folder, record in zip(trials.values(), records, strict=True)
    ]
    proposal = propose(
        search,
        searched,
        task.algorithm,
        task.default.seed,
        task.round,
        task.points,
        history,
        default_point(searched, default),
        lambda point: _reason_against(task, default, point),
    )
    ends = limits(task.stopping.epochs, courses) if task.stopping else {}
    content = {
        "search": search,
        "algorithm": task.algorithm,
        "round": task.round,
        "points": list(proposal.points),
        "origins": list(proposal.origins),
        "refused": [{"point": refused.point, "reason": refused.reason} for refused in proposal.refused],
        "limits": {str(epoch): limit for epoch, limit in ends.items()},
    }
    write_json(path, content)
    seconds = time.perf_counter() - started
    progress(f"{len(proposal.points)} points in view of {len(history)} trials, in {seconds:.1f} s")


def _trained(record: dict, searched: tuple[Dimension, ...]) -> Trained:
    error = None if record["status"] != "finished" else 1 - record["validation_accuracy"]
    return Trained(default_point(searched, _model(record)), error)


def _model(record: dict) -> Teacher | Student:
    """The hyperparameters that a trial was trained with."""
    kind = Teacher if record["kind"] == "teacher" else Student
    return kind.model_validate_json(json.dumps(record["hyperparameters"][record["kind"]]))


def _read_history(folder: Path) -> list[dict]:
    lines = (folder / "history.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _reason_against(task: ProposalTask, default: Teacher | Student, point: Point) -> str | None:
    """Why a point can't be trained; teachers have no budget to miss."""
    if isinstance(task.default, TeacherTask):
        return None
    student = apply_point(default, point)
    return misfit(student, task.default.family, task.default.budget, task.classes, task.image_size)
