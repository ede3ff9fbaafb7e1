"""The paper's figures, as `published.yaml` has them, and the families that it has."""

from functools import cache
from pathlib import Path

from mimic.config.reading import read_yaml
from mimic.nets.families import STUDENTS
from mimic.report.accuracies import ENSEMBLE, TEACHER, Model


@cache
def paper() -> dict:
    """The content of `published.yaml`."""
    return read_yaml(Path(__file__).with_name("published.yaml"))


MLPS = tuple(family for family in paper()["table_2"] if not STUDENTS[family].is_convolutional)
CONVS = tuple(family for family in paper()["table_2"] if STUDENTS[family].is_convolutional)


def budgets() -> list[str]:
    """The paper's budgets, smallest first."""
    return list(paper()["table_2"]["conv1"])


def accuracy(model: Model) -> float | None:
    """The published test accuracy, a fraction, or None where the paper has none."""
    percent = _percent(model)
    return None if percent is None else percent / 100


def _percent(model: Model) -> float | None:
    if model == ENSEMBLE:
        return paper()["ensemble"]["accuracy"]
    if model == TEACHER:
        return paper()["best_teacher"]["accuracy"]
    if model.arm == "logits":
        return paper()["table_2"].get(model.family, {}).get(model.budget)
    if model.arm == "labels" and model.budget == paper()["table_1"]["budget"]:
        return paper()["table_1"]["accuracy"].get(model.family)
    return None


def difference(better: Model, worse: Model) -> float | None:
    """The published accuracy of one model less that of another, where both are published."""
    pair = accuracy(better), accuracy(worse)
    return None if None in pair else pair[0] - pair[1]
