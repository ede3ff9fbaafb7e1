"""The answer in words, read off the claims."""

from collections import Counter
from typing import NamedTuple

from mimic.evaluation.intervals import Interval
from mimic.nets.families import TEACHER_CONVOLUTIONS
from mimic.report.accuracies import ENSEMBLE, TEACHER, Accuracies
from mimic.report.claims import Answer, gaps_by_budget
from mimic.report.numerals import listing, plural
from mimic.report.student_families import convolutions

HEADLINES = {  # of three claims: where supported, contradicted, undecided, not tested
    "convolutional_gap": ("Convolutional", "yes", "no", "undecided", "not tested"),
    "several_layers": ("Several layers", "yes", "not every one", "undecided", "not tested"),
    "shallower_than_teachers": ("As deep as the teachers", "no", "yes", "undecided", "not tested"),
}
VERBS = {  # for one claim, for several
    "supported": ("is supported", "are supported"),
    "contradicted": ("is contradicted", "are contradicted"),
    "undecided": ("is undecided", "are undecided"),
    "not tested": ("was not tested", "were not tested"),
}


class KeyFigure(NamedTuple):
    """One number at the top of the page."""

    label: str
    model: str
    family: str
    accuracy: Interval


def verdict(answers: list[Answer]) -> list[tuple[str, str]]:
    """The answer to the title's question: three headlines, each with a sentence."""
    by_key = {answer.claim.key: answer for answer in answers}
    sentences = []
    for key, (question, *words) in HEADLINES.items():
        answer = by_key[key]
        mark = ", exploratory" if answer.is_exploratory and answer.comparisons else ""
        headline = f"{question}: {words[list(VERBS).index(answer.status)]}{mark}."
        needed = [comparison.outcome for comparison in answer.comparisons if comparison.must]
        short = (
            ""
            if answer.status in ("supported", "not tested")
            else (f"{needed.count('for')} of {len(needed)} comparisons bear it out.")
        )
        sentences.append((headline, f"{answer.text} {short}".strip()))
    return sentences


def tally(answers: list[Answer]) -> str:
    """How many claims have which answer, in words."""
    counts = Counter(answer.status for answer in answers)
    parts = [f"{n} {verbs[n > 1]}" for status, verbs in VERBS.items() if (n := counts[status])]
    one_seed = any(answer.is_exploratory for answer in answers)
    caution = " With one seed a model, all of it is exploratory." if one_seed else ""
    return f"Of {len(answers)} claims of the paper, {listing(parts)}.{caution}"


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
    *_, (budget, pair) = [("", None), *gaps_by_budget(table).items()]
    return (budget, table.difference(*pair)) if pair else None
