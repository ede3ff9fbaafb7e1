"""The paper's figures, as `published.yaml` has them, and the families that it has."""

from functools import cache
from pathlib import Path

from mimic.config.strict_yaml import read_yaml
from mimic.nets.families import STUDENTS
from mimic.report.accuracies import ENSEMBLE, TEACHER, Model, Weights


@cache
def paper() -> dict:
    """The content of `published.yaml`."""
    return read_yaml(Path(__file__).with_name("published.yaml"))


MLPS = tuple(family for family in paper()["table_2"] if not STUDENTS[family].is_convolutional)
CONVS = tuple(family for family in paper()["table_2"] if STUDENTS[family].is_convolutional)


def budgets() -> list[str]:
    """The paper's budgets, smallest first."""
    return list(paper()["table_2"]["conv1"])


@cache
def accuracies() -> dict[Model, float]:
    """The published test accuracies, fractions."""
    alone = {ENSEMBLE: paper()["ensemble"]["accuracy"], TEACHER: paper()["best_teacher"]["accuracy"]}
    rows, twins = paper()["table_2"].items(), paper()["table_1"]
    students = {
        Model(family, budget, "logits"): value for family, row in rows for budget, value in row.items()
    }
    twins = {Model(f, twins["budget"], "labels"): value for f, value in twins["accuracy"].items()}
    return {model: percent / 100 for model, percent in (alone | students | twins).items()}


def accuracy(model: Model) -> float | None:
    """The published test accuracy, a fraction, or None where the paper has none."""
    return accuracies().get(model)


def contrast(weights: Weights) -> float | None:
    """The weighted sum of published accuracies, where all are published."""
    known = {model: accuracy(model) for model in weights}
    return None if None in known.values() else sum(weights[model] * known[model] for model in weights)


def difference(better: Model, worse: Model) -> float | None:
    """The published accuracy of one model less that of another, where both are published."""
    return contrast({better: 1, worse: -1})
