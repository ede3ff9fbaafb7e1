"""The answer in words and numbers, read off the claims."""

from collections import Counter
from typing import NamedTuple

from mimic.evaluation.intervals import Interval
from mimic.nets.families import TEACHER_CONVOLUTIONS
from mimic.report.accuracies import ENSEMBLE, TEACHER, Accuracies, Model
from mimic.report.claims import Answer, gaps_by_budget
from mimic.report.numerals import listing, plural
from mimic.report.student_families import convolutions

ANSWERS = {  # to the title's question, by three claims: where supported, where contradicted, what is asked
    "convolutional_gap": (
        "convolution is needed",
        "nets without convolution come near those with it",
        "convolution is needed",
    ),
    "several_layers": (
        "each further layer of it helps",
        "not each further layer of it helps",
        "each further layer of it helps",
    ),
    "shallower_than_teachers": (
        "nets need not be as deep as their teachers",
        "nets less deep than their teachers fall behind them",
        "nets need the depth of their teachers",
    ),
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


def verdict(answers: list[Answer], label: str) -> str:
    """The answer to the title's question, in one sentence."""
    status = {answer.claim.key: answer.status for answer in answers}
    known = {"supported": 0, "contradicted": 1}
    clauses = [words[known[status[key]]] for key, words in ANSWERS.items() if status[key] in known]
    for open_, verb in (("undecided", "it is undecided"), ("not tested", "it was not tested")):
        asked = [f"whether {words[2]}" for key, words in ANSWERS.items() if status[key] == open_]
        clauses += [f"{verb} {listing(asked)}"] if asked else []
    caution = "; with one seed a model, all of it is exploratory" if is_exploratory(answers) else ""
    *first, last = clauses
    told = f"{', '.join(first)}, and {last}" if first else last
    return f"On {label}{'' if label.endswith('images') else ' images'} {told}{caution}."


def is_exploratory(answers: list[Answer]) -> bool:
    """Whether an answer of these rests on one seed a model."""
    return any(answer.is_exploratory and answer.comparisons for answer in answers)


def tally(answers: list[Answer]) -> str:
    """How many claims have which answer, in words."""
    counts = Counter(answer.status for answer in answers)
    parts = [f"{n} {verbs[n > 1]}" for status, verbs in VERBS.items() if (n := counts[status])]
    return f"Of {len(answers)} claims of the paper, {listing(parts)}."


def best_by_depth(table: Accuracies) -> dict[int, Model]:
    """The best mimic student at each number of convolutions, by validation accuracy."""
    students = table.models("logits")
    depths = sorted({convolutions(student.family) for student in students})
    return {depth: table.best(s for s in students if convolutions(s.family) == depth) for depth in depths}


def key_figures(table: Accuracies) -> list[KeyFigure]:
    """The best mimic student at each number of convolutions, and its teachers."""
    figures = []
    for depth, best in best_by_depth(table).items():
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
