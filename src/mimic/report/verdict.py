"""The answer in words, read off the claims."""

from collections import Counter
from dataclasses import dataclass

from mimic.evaluation.bootstrap import Interval
from mimic.report.accuracies import CONVS, ENSEMBLE, MLPS, TEACHER, Accuracies
from mimic.report.claims import Answer, Status, extremes
from mimic.report.numerals import listing, plural

HEADLINES: dict[str, dict[Status, str]] = {
    "convolutional_gap": {
        "holds": "Convolutional: yes.",
        "does not hold": "Convolutional: not shown.",
        "not tested": "Convolutional: not tested.",
    },
    "several_layers": {
        "holds": "Several layers: yes.",
        "does not hold": "Several layers: not every one shown to help.",
        "not tested": "Several layers: not tested.",
    },
    "shallower_than_teachers": {
        "holds": "As deep as the teachers: no.",
        "does not hold": "As deep as the teachers: not refuted.",
        "not tested": "As deep as the teachers: not tested.",
    },
}


@dataclass(frozen=True)
class Sentence:
    """One part of the verdict."""

    headline: str
    text: str


@dataclass(frozen=True)
class KeyFigure:
    """One number at the top of the page."""

    label: str
    model: str
    family: str
    accuracy: Interval


def verdict(answers: list[Answer]) -> list[Sentence]:
    """The answer to the title's question, in three sentences."""
    by_key = {answer.claim.key: answer for answer in answers}
    return [Sentence(words[by_key[key].status], _short(by_key[key])) for key, words in HEADLINES.items()]


def _short(answer: Answer) -> str:
    if not answer.shortfall:
        return answer.text
    return f"{answer.text} {answer.support if len(answer.comparisons) > 1 else answer.shortfall}"


def tally(answers: list[Answer]) -> str:
    """How many claims hold, in words."""
    counts = Counter(answer.status for answer in answers)
    parts = []
    if counts["holds"]:
        parts.append(f"{counts['holds']} {'holds' if counts['holds'] == 1 else 'hold'}")
    if counts["does not hold"]:
        parts.append(f"{counts['does not hold']} {'does' if counts['does not hold'] == 1 else 'do'} not hold")
    if counts["not tested"]:
        parts.append(f"{counts['not tested']} {'was' if counts['not tested'] == 1 else 'were'} not tested")
    return f"Of {len(answers)} claims of the paper, {listing(parts)}."


def key_figures(table: Accuracies) -> list[KeyFigure]:
    """The best mimic student at each number of convolutions, by validation accuracy, and its teachers."""
    figures = []
    for depth, families in enumerate((MLPS, *((family,) for family in CONVS))):
        models = table.models("logits", families)
        if models:
            best = max(models, key=lambda model: table.cells[model].validation_accuracy)
            label = plural(depth, "convolution") if depth else "no convolution"
            figures.append(
                KeyFigure(label, f"{best.family}, {best.budget}", best.family, table.intervals[best])
            )
    if TEACHER in table:
        figures.append(KeyFigure("8 convolutions", "best teacher", "ink", table.intervals[TEACHER]))
    figures.append(KeyFigure("ensemble", "of teachers", "ink", table.intervals[ENSEMBLE]))
    return figures


def gap(table: Accuracies) -> tuple[str, Interval] | None:
    """The convolutional gap at the largest budget that shows it."""
    shown = [(budget, pair) for budget in table.budgets() if (pair := extremes(table, budget))]
    if not shown:
        return None
    budget, (conv, mlp) = shown[-1]
    return budget, table.difference(conv, mlp)
