import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimic.data.image_parameters import Hsv
from mimic.nets.families import STUDENTS, teacher
from mimic.nets.layers import Conv, Dropout, count
from mimic.search.points import (
    Dimension,
    apply_point,
    complete,
    default_point,
    dimensions,
    is_inside,
    net_of,
)
from mimic.search.spaces import Goal, Range, StudentSpace, TeacherSpace
from mimic.support.errors import MimicError
from mimic.training.optimisers.muon import Muon
from mimic.training.recipe import Student, Teacher

HSV = Hsv(Dh=0.11)
TEACHER = Teacher(
    filters=(76, 126, 148), hidden=1200, learning_rate=0.02, momentum=0.87, weight_decay=2e-4, seed=7
)
STUDENT = Student(learning_rate=0.002, momentum=0.9, widths={"c1": 48, "c2": 64})
RATE = {"low": 0.0013, "high": 0.016, "log": True}
WIDTH = {"low": 20.0, "high": 120.0}


@st.composite
def any_dimension(draw):
    integer, log = draw(st.booleans()), draw(st.booleans())
    numbers = st.integers(1, 5000) if integer else st.floats(1e-4, 50)
    written = st.lists(numbers, min_size=2, max_size=2, unique_by=lambda bound: f"{bound:.4g}")
    low, high = sorted(draw(written))
    Range(low=low, high=high, log=log)  # legal
    return Dimension("x", low, high, log=log, integer=integer)


@given(any_dimension(), st.floats(0, 1))
def test_values_stay_within_bounds_and_have_few_digits(dimension, share):
    value = dimension.from_unit(share)
    assert value in dimension
    if dimension.integer:
        assert isinstance(value, int)
    elif value not in (dimension.low, dimension.high):
        assert value == float(f"{value:.4g}")


@given(any_dimension(), st.floats(0, 1))
def test_a_value_comes_back_from_its_place_in_the_range(dimension, share):
    value = dimension.from_unit(share)
    assert dimension.from_unit(dimension.to_unit(value)) == value


def test_logarithmic_ranges_are_even_in_the_logarithm():
    assert Dimension("x", 0.001, 0.1, log=True).from_unit(0.5) == 0.01


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.24, 1), (0.26, 2), (0.51, 3), (0.99, 4), (1.0, 4)])
def test_each_whole_number_has_an_equal_part(share, value):
    assert Dimension("x", 1, 4, integer=True).from_unit(share) == value


def test_dimensions_of_a_student_have_dotted_names_and_whole_widths():
    space = StudentSpace.model_validate({"widths": {"c1": WIDTH}, "learning_rate": RATE})
    assert dimensions(space, ratios=False) == (
        Dimension("learning_rate", 0.0013, 0.016, log=True),
        Dimension("widths.c1", 20, 120, integer=True),
    )


def test_widths_of_deep_mlps_are_ratios():
    space = StudentSpace.model_validate({"widths": {"fc1": {"low": 0.1, "high": 1.0}}})
    assert dimensions(space, ratios=True) == (Dimension("widths.fc1", 0.1, 1.0),)


def test_filters_and_hidden_units_of_a_teacher_are_whole():
    space = TeacherSpace.model_validate(
        {"filters": {"group3": WIDTH}, "hidden": WIDTH, "hsv": {"Dh": {"low": 0.03, "high": 0.11}}}
    )
    assert [(d.name, d.integer) for d in dimensions(space, ratios=False)] == [
        ("filters.group3", True),
        ("hidden", True),
        ("hsv.Dh", False),
    ]


def test_a_point_replaces_what_it_names_in_a_student():
    student = apply_point(STUDENT, {"learning_rate": 0.01, "widths.c2": 32, "dropout.conv1": 0.2})
    assert (student.learning_rate, student.momentum) == (0.01, 0.9)
    assert student.widths == {"c1": 48, "c2": 32}
    assert (student.dropout.conv1, student.dropout.conv2) == (0.2, 0.0)


def test_a_point_may_name_a_parameter_of_the_optimiser():
    default = STUDENT.model_copy(update={"optimiser": Muon(other_rate=0.2)})
    space = StudentSpace.model_validate({"optimiser": {"other_rate": {"low": 0.1, "high": 0.4}}})
    searched = dimensions(space, ratios=False)
    assert default_point(searched, default) == {"optimiser.other_rate": 0.2}
    assert apply_point(default, {"optimiser.other_rate": 0.3}).optimiser == Muon(other_rate=0.3)


def test_a_point_replaces_what_it_names_in_a_teacher():
    changed = apply_point(complete(TEACHER, HSV), {"filters.group2": 99, "hidden": 700, "hsv.Ds": 0.3})
    assert changed.filters == (76, 99, 148)
    assert (changed.hidden, changed.seed) == (700, 7)
    assert changed.hsv == Hsv(Dh=0.11, Ds=0.3)


def test_the_default_as_a_point_gives_the_default_again():
    space = TeacherSpace.model_validate({"momentum": RATE, "filters": {"group1": WIDTH}, "hsv": {"Dh": RATE}})
    default = complete(TEACHER, HSV)
    point = default_point(dimensions(space, ratios=False), default)
    assert point == {"momentum": 0.87, "filters.group1": 76, "hsv.Dh": 0.11}
    assert apply_point(default, point) == default


def test_colours_of_its_own_are_kept():
    own = TEACHER.model_copy(update={"hsv": Hsv(Dh=0.01)})
    assert complete(own, HSV) is own


def test_a_default_outside_the_space_is_told():
    inside = [Dimension("learning_rate", 0.001, 0.01), Dimension("widths.c1", 20, 120, integer=True)]
    outside = [Dimension("learning_rate", 0.0013, 0.016)]
    assert is_inside(inside, default_point(inside, STUDENT))
    assert not is_inside(outside, {"learning_rate": 0.0012})


def test_the_net_of_a_student_meets_its_budget():
    goal = Goal(family=STUDENTS["conv2"], parameters=1_000_000, classes=10, image_size=32)
    layers = net_of(goal, STUDENT)
    assert [layer.filters for layer in layers if isinstance(layer, Conv)] == [48, 64]
    assert count(layers, channels=3, size=32) == pytest.approx(1_000_000, rel=0.003)
    with pytest.raises(MimicError, match="lower c1 to at most"):
        net_of(goal.model_copy(update={"parameters": 50_000}), STUDENT)


def test_the_net_of_a_teacher_has_the_widths_given():
    goal = Goal(family=teacher(False), parameters=0, classes=10, image_size=32)
    layers = net_of(goal, TEACHER)
    assert count(layers, channels=3, size=32) == 5_339_350  # as published
    assert [layer.rate for layer in layers if isinstance(layer, Dropout)] == [0.2, 0.3, 0.37, 0.4, 0.4]
