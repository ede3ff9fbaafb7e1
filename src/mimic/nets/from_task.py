"""The layers that a task asks for."""

from mimic.core.tasks import StudentTask, TeacherTask
from mimic.core.types import budget_parameters
from mimic.nets.budget import solve
from mimic.nets.layers import Layers
from mimic.nets.teacher import teacher_layers

CHANNELS = 3  # grey images are stored as colour


def layers_of(task: TeacherTask | StudentTask, classes: int, image_size: int) -> Layers:
    """The net of a teacher or a student. Raises MimicError when a student's budget can't be met."""
    if isinstance(task, TeacherTask):
        return teacher_layers(task.teacher, classes, task.batch_normalisation)
    budget, student = budget_parameters(task.budget), task.student
    return solve(task.family, budget, student.widths, classes, CHANNELS, image_size, student.dropout).layers
