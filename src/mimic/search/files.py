"""What the steps of a search hand over to one another in files."""

import json
from pathlib import Path

from mimic.search.points import Dimension, complete, dimensions
from mimic.search.spaces import ProposalTask, SelectionTask
from mimic.training.recipe import Student, Teacher, TeacherTask


def default_of(task: ProposalTask | SelectionTask) -> Teacher | Student:
    """The complete default from which a search departs."""
    if isinstance(task.default, TeacherTask):
        return complete(task.default.teacher, task.default.augmentation.hsv)
    return task.default.student


def dimensions_of(task: ProposalTask | SelectionTask) -> tuple[Dimension, ...]:
    """The dimensions of the search that a task belongs to."""
    return dimensions(task.space, task.goal.family.widths == "ratios")


def read_proposal(folder: Path) -> dict:
    """The content of proposal.json."""
    return json.loads((folder / "proposal.json").read_text(encoding="utf-8"))
