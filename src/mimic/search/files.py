"""What the steps of a search hand over to one another in files."""

import json
from pathlib import Path

from mimic.core.parameters import Student, Teacher
from mimic.core.tasks import ProposalTask, SelectionTask, TeacherTask
from mimic.search.points import Dimension, Point, complete, dimensions


def default_of(task: ProposalTask | SelectionTask) -> Teacher | Student:
    """The complete default from which a search departs."""
    if isinstance(task.default, TeacherTask):
        return complete(task.default.teacher, task.default.augmentation.hsv)
    return task.default.student


def dimensions_of(task: ProposalTask | SelectionTask) -> tuple[Dimension, ...]:
    """The dimensions of the search that a task belongs to."""
    family = None if isinstance(task.default, TeacherTask) else task.default.family
    return dimensions(task.space, family)


def read_proposal(folder: Path) -> dict:
    """The content of proposal.json."""
    return json.loads((folder / "proposal.json").read_text(encoding="utf-8"))


def points_and_limits(folder: Path) -> tuple[list[Point], dict[int, float]]:
    """The points of a round, and the validation error that ends a trial after an epoch."""
    proposal = read_proposal(folder)
    return proposal["points"], {int(epoch): limit for epoch, limit in proposal["limits"].items()}
