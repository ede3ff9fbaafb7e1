"""What the widths in params.yaml must come to, and the nets that they make."""

from functools import cache

from mimic.config.parameters import Parameters, budget_parameters
from mimic.nets import families
from mimic.nets.family import Family
from mimic.nets.layers import Layers
from mimic.search.points import net_of
from mimic.search.spaces import Goal
from mimic.training.recipe import Student, Teacher


def teacher_goal(parameters: Parameters) -> Goal:
    """Teachers have no budget: their widths are given."""
    data = parameters.data
    return _teacher_goal(parameters.teachers.architecture, data.classes, data.image_size)


def student_goal(parameters: Parameters, family: str, budget: str) -> Goal:
    return _student_goal(family, budget, parameters.data.classes, parameters.data.image_size)


def teacher_net(parameters: Parameters, teacher: Teacher) -> Layers:
    """The net of one teacher."""
    return net_of(teacher_goal(parameters), teacher)


def student_net(parameters: Parameters, family: str, budget: str, student: Student) -> Layers:
    """The net of a family at a budget. Raises MimicError when the widths can't meet it."""
    data = parameters.data
    shape = student.model_dump_json(include={"widths", "dropout"})
    return _student_net(family, budget, data.classes, data.image_size, _Shape(shape, student))


class _Shape:
    """Hyperparameters that count as equal to all others of the same net."""

    def __init__(self, text: str, student: Student) -> None:
        self.text, self.student = text, student

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shape) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


@cache
def _student_net(family: str, budget: str, classes: int, image_size: int, shape: _Shape) -> Layers:
    return net_of(_student_goal(family, budget, classes, image_size), shape.student)


@cache
def _student_goal(family: str, budget: str, classes: int, image_size: int) -> Goal:
    return Goal(
        family=families.STUDENTS[family],
        parameters=budget_parameters(budget),
        classes=classes,
        image_size=image_size,
    )


@cache
def _teacher_goal(family: Family, classes: int, image_size: int) -> Goal:
    return Goal(family=family, parameters=0, classes=classes, image_size=image_size)
