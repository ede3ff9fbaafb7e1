import pytest

from mimic.config.checks import check_space
from mimic.data.image_parameters import Hsv
from mimic.nets.families import STUDENTS, teacher
from mimic.search.points import net_of
from mimic.search.spaces import Goal, StudentSpace, TeacherSpace
from mimic.support.errors import MimicError
from mimic.training.optimisers.adamw import AdamW
from mimic.training.optimisers.muon import Muon
from mimic.training.recipe import Student, Teacher

CONV2 = Student(learning_rate=0.002, momentum=0.9, widths={"c1": 48, "c2": 64})
MLP2 = Student(learning_rate=0.002, momentum=0.9, widths={"lfc": 0.5, "fc1": 1.0, "fc2": 1.0})
TEACHER = Teacher(
    filters=(8, 8, 8), hidden=32, learning_rate=0.02, momentum=0.87, weight_decay=2e-4, hsv=Hsv()
)


def goal(family, parameters=1_000_000):
    return Goal(family=family, parameters=parameters, classes=10, image_size=32)


def check(space, default=CONV2, family="conv2"):
    check_space(StudentSpace.model_validate(space), default, goal(STUDENTS[family]))


def check_teachers(space):
    check_space(TeacherSpace.model_validate(space), TEACHER, goal(teacher(False), 0))


def between(low, high):
    return {"low": float(low), "high": float(high)}


def test_a_sound_space_passes():
    check({"learning_rate": between(0.001, 0.01), "widths": {"c1": between(20, 120), "c2": between(20, 120)}})
    check({"widths": {"lfc": between(0.1, 1), "fc1": between(0.1, 1)}}, MLP2, "mlp2")
    check_teachers({"dropout": {"fc2": between(0.2, 0.65)}})


@pytest.mark.parametrize(
    ("space", "complaint"),
    [
        ({}, "nothing to search: give at least one range, or remove the search"),
        ({"widths": {"c3": between(20, 120)}}, "widths.c3: unknown; conv2 has c1, c2"),
        ({"widths": {"fc": between(20, 120)}}, "widths.fc: follows from the budget"),
        ({"widths": {"c1": between(20, 120.5)}}, "widths.c1: must have whole bounds"),
        ({"widths": {"c1": between(0, 9)}}, "widths.c1: must have whole bounds from 1 up, not 0 and 9"),
        ({"dropout": {"conv1": between(0.5, 1)}}, "dropout.conv1.high: should be less than 1, not 1"),
        ({"learning_rate": between(0, 1)}, "learning_rate.low: should be greater than 0, not 0"),
        ({"momentum": between(0.9, 1.5)}, "momentum.high: should be less than 1, not 1.5"),
        ({"dropout": {"conv3": between(0, 0.5)}}, "must be 0, since conv2 has no place for it"),
        ({"widths": {"c1": between(900, 999)}}, "lower c1 to at most"),
    ],
)  # fmt: skip
def test_an_unsound_space_is_refused_by_name(space, complaint):
    with pytest.raises(MimicError) as refusal:
        check(space)
    assert complaint in str(refusal.value)


def test_the_optimiser_s_own_parameters_can_be_searched():
    space = {"optimiser": {"other_rate": between(0.05, 0.5)}}
    check(space, CONV2.model_copy(update={"optimiser": Muon()}))
    with pytest.raises(MimicError, match=r"optimiser\.other_rate: unknown; sgd has nothing to search"):
        check(space)
    with pytest.raises(MimicError, match=r"optimiser\.other_rate: unknown; adamw has beta2, epsilon"):
        check(space, CONV2.model_copy(update={"optimiser": AdamW()}))
    with pytest.raises(MimicError, match=r"optimiser\.beta2\.high: .* less than 1, not 1"):
        check({"optimiser": {"beta2": between(0.9, 1.0)}}, CONV2.model_copy(update={"optimiser": AdamW()}))


@pytest.mark.parametrize("bounds", [(0, 1), (0.5, 1.5)])
def test_ratios_lie_above_0_and_up_to_1(bounds):
    with pytest.raises(MimicError, match=r"widths.fc1: is a ratio .* above 0 and up to 1"):
        check({"widths": {"fc1": between(*bounds)}}, MLP2, "mlp2")


def test_an_unsound_space_of_teachers_is_refused_by_name():
    with pytest.raises(MimicError, match=r"hsv.Dh.high: should be less than or equal to 0.5, not 0.7"):
        check_teachers({"hsv": {"Dh": between(0.1, 0.7)}})


@pytest.mark.parametrize("scale", [0.5, 0.013])
def test_ratios_mean_the_same_net_at_any_scale(scale):
    """`solve` normalises them, so a search need not."""
    ratios = {"lfc": 0.3, "fc1": 1.0, "fc2": 0.7}
    scaled = {name: scale * ratio for name, ratio in ratios.items()}
    nets = [
        net_of(goal(STUDENTS["mlp2"]), MLP2.model_copy(update={"widths": widths}))
        for widths in (ratios, scaled)
    ]
    assert nets[0] == nets[1]
