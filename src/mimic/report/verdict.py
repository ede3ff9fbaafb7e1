"""The answer in words, read off the claims."""

from collections import Counter
from dataclasses import dataclass

from mimic.evaluation.bootstrap import Interval
from mimic.nets.families import TEACHER_CONVOLUTIONS
from mimic.report.accuracies import ENSEMBLE, TEACHER, Accuracies
from mimic.report.claims import Answer, Status, gaps_by_budget
from mimic.report.numerals import listing, plural
from mimic.report.student_families import convolutions

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
    verbs = {  # for one, for several
        "holds": ("holds", "hold"),
        "does not hold": ("does not hold", "do not hold"),
        "not tested": ("was not tested", "were not tested"),
    }
    parts = [f"{n} {verbs[status][n > 1]}" for status in verbs if (n := counts[status])]
    return f"Of {len(answers)} claims of the paper, {listing(parts)}."


def key_figures(table: Accuracies) -> list[KeyFigure]:
    """The best mimic student at each number of convolutions, by validation accuracy, and its teachers."""
    figures, students = [], table.models("logits")
    for depth in sorted({convolutions(student.family) for student in students}):
        best = table.best(student for student in students if convolutions(student.family) == depth)
        label = plural(depth, "convolution") if depth else "no convolution"
        figures.append(KeyFigure(label, f"{best.family}, {best.budget}", best.family, table.intervals[best]))
    if TEACHER in table:
        label = plural(sum(TEACHER_CONVOLUTIONS), "convolution")
        figures.append(KeyFigure(label, "best teacher", "ink", table.intervals[TEACHER]))
    figures.append(KeyFigure("ensemble", "of teachers", "ink", table.intervals[ENSEMBLE]))
    return figures


def gap(table: Accuracies) -> tuple[str, Interval] | None:
    """The convolutional gap at the largest budget that shows it."""
    pairs = gaps_by_budget(table)
    if not pairs:
        return None
    budget = list(pairs)[-1]
    return budget, table.difference(*pairs[budget])
