"""What a result can depend on, out of all that is asked of a job."""

from dataclasses import dataclass
from typing import Annotated

import pytest
from pydantic import Field, ValidationError

from mimic.support.frozen import Frozen, asked, elsewhere, option


@dataclass(frozen=True)
class Part:
    size: int
    kind: str = "part"


class Inner(Frozen):
    rate: float = 0.5
    ema: float = option(0.0, ge=0, lt=1)


class Task(Frozen):
    seed: int = 1
    path: str | None = elsewhere(None)
    download: bool = elsewhere(False)
    flip: bool = option(False)
    limit: int | None = None
    inner: Inner = Inner()
    parts: tuple[Part, ...] = ()
    widths: Annotated[dict[str, float], Field(default_factory=dict)]


DEFAULT = {"seed": 1, "inner": {"rate": 0.5}, "parts": [], "widths": {}}


def test_defaults_stand_there_in_full_but_for_what_is_off_or_none():
    assert asked(Task()) == DEFAULT


@pytest.mark.parametrize(
    ("change", "added"),
    [
        ({"seed": 2}, {"seed": 2}),
        ({"flip": True}, {"flip": True}),
        ({"limit": 3}, {"limit": 3}),
        ({"inner": Inner(ema=0.9)}, {"inner": {"rate": 0.5, "ema": 0.9}}),
        ({"widths": {"fc": 3.0}}, {"widths": {"fc": 3.0}}),
        ({"parts": (Part(3),)}, {"parts": [{"size": 3, "kind": "part"}]}),
        ({"path": "/images.zip"}, {}),
        ({"download": True}, {}),
    ],
)  # fmt: skip
def test_what_changes_a_result_is_asked_and_places_are_not(change, added):
    assert asked(Task(**change)) == DEFAULT | added


def test_a_changed_default_is_a_change():
    class Inner(Frozen):
        rate: float = 0.25

    class Task(Frozen):
        inner: Inner = Inner()

    assert asked(Task()) == {"inner": {"rate": 0.25}}


def test_a_new_option_that_is_off_leaves_no_trace():
    class Later(Task):
        cutout: int = option(0)
        scheme: str | None = None

    assert asked(Later()) == asked(Task())
    assert asked(Later(cutout=4)) == asked(Task()) | {"cutout": 4}


@pytest.mark.parametrize(
    "wrong",
    [{"sed": 1}, {"seed": "1"}, {"seed": 1.0}, {"inner": {"rate": float("nan")}}, {"inner": {"ema": 1.0}}],
)
def test_unknown_keys_and_wrong_values_are_refused(wrong):
    with pytest.raises(ValidationError):
        Task.model_validate(wrong)


def test_parameters_do_not_change():
    with pytest.raises(ValidationError):
        Task().seed = 2
