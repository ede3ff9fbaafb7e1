import re
import subprocess
import sys
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mimic.config.parameters import budget_parameters
from mimic.nets.budget import solve
from mimic.nets.families import STUDENTS
from mimic.nets.layers import Layers, count, named_numbers
from mimic.support.errors import MimicError

FORMS = {
    "mlp1": "lfc fc",
    "mlp2": "lfc fc1 fc2",
    "mlp3": "lfc fc1 fc2 fc3",
    "mlp4": "lfc fc1 fc2 fc3 fc4",
    "mlp5": "lfc fc1 fc2 fc3 fc4 fc5",
    "conv1": "c mp3 lfc fc",
    "conv2": "c1 mp2 c2 mp2 fc",
    "conv3": "c1 mp2 c2 mp2 c3 mp2 fc",
    "conv4": "c1 mp2 c2 c3 mp2 c4 mp2 fc",
}
WIDTHS = {  # inside the bounds of the paper's Table 3
    "mlp1": {"1M": [2000], "3.16M": [4000], "10M": [9000], "31.6M": [20000]},
    "conv1": {"1M": [64, 600], "3.16M": [128, 1000], "10M": [200, 1600], "31.6M": [320, 2800]},
    "conv2": {"1M": [48, 64], "3.16M": [80, 96], "10M": [120, 120], "31.6M": [200, 120]},
    "conv3": {"1M": [48, 64, 80], "3.16M": [80, 112, 144], "10M": [120, 180, 240], "31.6M": [180, 280, 400]},
    "conv4": {
        "1M": [48, 48, 64, 80],
        "3.16M": [72, 88, 112, 144],
        "10M": [112, 144, 176, 240],
        "31.6M": [160, 240, 280, 400],
    },
}
NO_DROPOUT = dict.fromkeys(("conv1", "conv2", "conv3", "fc1"), 0.0)
RATIOS = ("mlp2", "mlp3", "mlp4", "mlp5")
BUDGETS = ("1M", "3.16M", "10M", "31.6M")


def plain_count(family, widths, classes, channels, size):
    """The number of parameters, straight from the paper's form of the family."""
    total, maps, inputs = 0, channels, None
    for word in FORMS[family].split():
        if word.startswith("mp"):
            size //= int(word[2:])
        elif word.startswith("c"):
            total += widths[word] * (25 * maps + 1)
            maps = widths[word]
        else:
            inputs = inputs or maps * size * size
            total += widths[word] * (inputs + 1)
            inputs = widths[word]
    return total + classes * (inputs + 1)


@dataclass(frozen=True)
class Solution:
    """A net at its budget."""

    layers: Layers
    widths: dict  # given and solved
    parameters: int
    miss: int  # parameters beyond the budget


def solved(family, budget, widths, classes=10, channels=3, image_size=32, **rates):
    rates = NO_DROPOUT | rates
    layers = solve(STUDENTS[family], budget, widths, classes, channels, image_size, rates)
    parameters = count(layers, channels, image_size)
    return Solution(layers, widths_of(family, layers), parameters, parameters - budget)


def widths_of(family, layers):
    """The numbers that stand where the family's template has the names of widths."""
    kinds = ("conv", "linear")
    hidden = [layer for layer in STUDENTS[family].hidden if layer.kind in kinds]
    weighted = [layer for layer in layers[:-1] if layer.kind in kinds]
    return {
        name: getattr(layer, field)
        for template, layer in zip(hidden, weighted, strict=True)
        for field, name in named_numbers(template).items()
    }


@st.composite
def problems(draw, families):
    """A family, given widths, classes, channels, image size, and a budget that the widths can meet."""
    family = draw(st.sampled_from(families))
    kind = STUDENTS[family]
    widths = {name: draw(st.integers(1, 12)) for name in kind.given}
    shape = draw(st.integers(2, 12)), draw(st.integers(1, 3)), draw(st.integers(8, 12))
    unknown = [kind.dependent] if kind.dependent else kind.given
    least = plain_count(family, widths | dict.fromkeys(unknown, 1), *shape)
    return family, widths, shape, least + draw(st.integers(0, 20_000))


@given(problems([family for family in FORMS if family not in RATIOS]))
def test_no_other_dependent_width_comes_closer(problem):
    family, widths, shape, budget = problem
    solution = solved(family, budget, widths, *shape)
    dependent = STUDENTS[family].dependent
    misses = []
    for width in range(1, budget):
        misses.append(plain_count(family, widths | {dependent: width}, *shape) - budget)
        if misses[-1] > 0:
            break
    assert abs(solution.miss) == min(map(abs, misses))
    assert solution.widths == widths | {dependent: 1 + misses.index(solution.miss)}


@given(problems(RATIOS))
def test_no_other_value_of_any_one_scaled_width_comes_closer(problem):
    family, ratios, shape, budget = problem
    solution = solved(family, budget, ratios, *shape)
    for name in ratios:
        for width in range(1, budget):
            miss = plain_count(family, solution.widths | {name: width}, *shape) - budget
            assert abs(miss) >= abs(solution.miss)
            if miss > 0:
                break


@given(problems(list(FORMS)))
def test_the_net_has_the_widths_that_were_solved(problem):
    family, widths, shape, budget = problem
    solution = solved(family, budget, widths, *shape)
    classes, channels, size = shape
    assert solution.parameters == plain_count(family, solution.widths, classes, channels, size)
    assert all(type(width) is int and width >= 1 for width in solution.widths.values())


def test_of_two_equally_close_the_smaller_is_taken():
    unit = 8 * 8 + 1 + 5  # a unit of the bottleneck: weights from 64 pixels, its bias, weights to 5 units
    six = plain_count("mlp1", {"lfc": 6, "fc": 5}, classes=3, channels=1, size=8)
    for budget, width in ((six + unit // 2, 6), (six + unit // 2 + 1, 7)):
        assert solved("mlp1", budget, {"fc": 5}, classes=3, channels=1, image_size=8).widths["lfc"] == width


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("family", FORMS)
def test_every_family_meets_every_budget_of_the_paper(family, budget):
    names = STUDENTS[family].given
    widths = (
        dict.fromkeys(names, 1.0)
        if family in RATIOS
        else dict(zip(names, WIDTHS[family][budget], strict=True))
    )
    solution = solved(family, budget_parameters(budget), widths)
    assert abs(solution.miss) < 0.003 * budget_parameters(budget)


@given(st.lists(st.floats(0.2, 1.0), min_size=4, max_size=4), st.sampled_from(BUDGETS))
@example([0.8359375, 0.21875, 0.203125, 0.2], "1M")
def test_scaled_widths_keep_their_ratios(ratios, budget):
    ratios = dict(zip(STUDENTS["mlp3"].given, ratios, strict=True))
    solution = solved("mlp3", budget_parameters(budget), ratios)
    scales = [solution.widths[name] / ratio for name, ratio in ratios.items()]
    # Half a unit of the bottleneck weighs this much on narrow hidden layers at 1M, and less elsewhere.
    assert max(scales) / min(scales) < 1.08


def test_hidden_layers_share_what_a_coarse_bottleneck_leaves_over(described):
    solution = solved("mlp2", 100_000, {"lfc": 0.4, "fc1": 1.0, "fc2": 1.0})
    assert described(solution.layers) == "lfc30-fc70-fc70"


def test_only_the_proportion_of_ratios_matters():
    small, large = ({"lfc": scale, "fc1": 2 * scale, "fc2": 3 * scale} for scale in (0.25, 4096.0))
    assert solved("mlp2", 1_000_000, small) == solved("mlp2", 1_000_000, large)


def test_order_of_given_widths_does_not_matter():
    widths = {"fc2": 0.5, "lfc": 0.3, "fc1": 1.0}
    assert solved("mlp2", 10**6, widths) == solved("mlp2", 10**6, dict(sorted(widths.items())))


def test_dropout_is_in_the_net_and_costs_nothing(described):
    plain = solved("conv2", 10**6, {"c1": 48, "c2": 64})
    dropped = solved("conv2", 10**6, {"c1": 48, "c2": 64}, conv1=0.1, conv2=0.2, fc1=0.3)
    assert dropped.widths == plain.widths
    assert len(dropped.layers) == len(plain.layers) + 3
    assert described(dropped.layers) == "c48-mp-c64-mp-fc224"


def test_an_impossible_width_is_refused_with_bounds_that_work():
    with pytest.raises(MimicError) as raised:
        solved("conv2", 100_000, {"c1": 90, "c2": 64})
    assert str(raised.value) == (
        "widths: c1 90, c2 64 leave no unit of fc within 100000 parameters; "
        "lower c1 to at most 57 or c2 to at most 40"
    )
    solved("conv2", 100_000, {"c1": 57, "c2": 64})
    solved("conv2", 100_000, {"c1": 90, "c2": 40})
    for widths in ({"c1": 58, "c2": 64}, {"c1": 90, "c2": 41}):
        with pytest.raises(MimicError):
            solved("conv2", 100_000, widths)


def test_widths_that_no_single_change_saves_are_refused_with_a_bound_for_all():
    widths = dict.fromkeys(("c1", "c2", "c3", "c4"), 300)
    with pytest.raises(MimicError, match=r"lower each of c1, c2, c3, c4 to at most \d+$") as raised:
        solved("conv4", 100_000, widths)
    bound = int(re.search(r"\d+$", str(raised.value)).group())
    solved("conv4", 100_000, dict.fromkeys(widths, bound))
    with pytest.raises(MimicError):
        solved("conv4", 100_000, dict.fromkeys(widths, bound + 1))


@pytest.mark.parametrize(("family", "widths"), [("mlp2", ("lfc", "fc1", "fc2")), ("mlp1", ("fc",))])
def test_a_budget_below_the_smallest_net_is_refused(family, widths):
    least = plain_count(family, dict.fromkeys({*widths, "lfc"}, 1), 10, 3, 32)
    assert solved(family, least, dict.fromkeys(widths, 1)).miss == 0
    message = f"{family} has at least {least} parameters with these images; {least - 1} are too few"
    with pytest.raises(MimicError, match=message):
        solved(family, least - 1, dict.fromkeys(widths, 1))


@pytest.mark.parametrize(
    ("family", "widths", "message"),
    [
        ("conv2", {"c1": 8}, "widths: conv2 takes c1, c2 (fc follows from the budget); missing c2"),
        ("conv2", {}, "widths: conv2 takes c1, c2 (fc follows from the budget); missing c1, c2"),
        (
            "conv2",
            {"c1": 8, "c2": 8, "fc": 9},
            "widths: conv2 takes c1, c2 (fc follows from the budget); unknown fc",
        ),
        ("mlp1", {"f": 8}, "widths: mlp1 takes fc (lfc follows from the budget); missing fc; unknown f"),
        (
            "mlp2",
            {"fc1": 1.0, "fc2": 1.0},
            "widths: mlp2 takes lfc, fc1, fc2 (their scale follows from the budget); missing lfc",
        ),
        ("conv1", {"c": 8.5, "fc": 9}, "widths.c: must be a whole number from 1 up, not 8.5"),
        ("conv1", {"c": 0.0, "fc": 9}, "widths.c: must be a whole number from 1 up, not 0.0"),
        ("conv1", {"c": 8, "fc": float("inf")}, "widths.fc: must be a whole number from 1 up, not inf"),
        ("conv1", {"c": 8, "fc": float("nan")}, "widths.fc: must be a whole number from 1 up, not nan"),
        ("mlp2", {"lfc": 1, "fc1": -0.5, "fc2": 1}, "widths.fc1: must be a ratio above 0, not -0.5"),
        ("mlp2", {"lfc": 1, "fc1": float("inf"), "fc2": 1}, "widths.fc1: must be a ratio above 0, not inf"),
    ],
)
def test_wrong_widths_are_named(family, widths, message):
    with pytest.raises(MimicError, match=f"^{re.escape(message)}$"):
        solved(family, 10**6, widths)


def test_a_dropout_rate_without_a_place_is_refused():
    with pytest.raises(MimicError, match=r"^dropout\.conv2: must be 0, since conv1 has no place for it$"):
        solved("conv1", 10**6, {"c": 64, "fc": 600}, conv1=0.1, conv2=0.1)


def test_whole_numbers_may_come_as_floats():
    assert solved("conv2", 10**6, {"c1": 48.0, "c2": 64.0}) == solved("conv2", 10**6, {"c1": 48, "c2": 64})


def test_a_budget_is_checked_without_torch():
    program = "import sys; import mimic.nets.budget, mimic.nets.families; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": ":".join(sys.path)})
