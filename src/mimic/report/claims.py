"""The paper's eight claims, each answered from a table of accuracies.

A claim *holds* when every comparison that it needs is on its side with the whole interval; it *does not
hold* when any comparison is on the other side or lies within its error bars; it is *not tested* when
models that it needs did not run or diverged. The rules are ours, and conservative: an interval that is
too wide speaks against a claim, never for it. Intervals are not corrected for their number.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from mimic.core.types import budget_parameters
from mimic.evaluation.bootstrap import Interval
from mimic.report import published
from mimic.report.accuracies import CONVS, MLPS, TEACHER, Accuracies, Model
from mimic.report.numerals import listing, percent, signed, signed_bounds

Status = Literal["holds", "does not hold", "not tested"]

NEAR = 0.05  # ours: an MLP within five points of a convolutional student comes near it
KEEPS_UP = 0.01  # ours: a student that may be a point behind still keeps up with a teacher


@dataclass(frozen=True)
class Comparison:
    """One difference of accuracies that a claim needs to exceed `threshold`; fractions of 1."""

    label: str
    difference: Interval
    threshold: float = 0.0
    published: float | None = None

    @property
    def outcome(self) -> Literal["for", "against", "open"]:
        """Whether the whole interval lies on the claim's side, on the other side, or on both."""
        if self.difference.low > self.threshold:
            return "for"
        return "against" if self.difference.high < self.threshold else "open"


@dataclass(frozen=True)
class Finding:
    """What a table says of a claim. `missing` tells why it can't be tested."""

    text: str = ""
    comparisons: list[Comparison] = field(default_factory=list)
    missing: str = ""


@dataclass(frozen=True)
class Claim:
    """A claim of the paper, and the rule that decides it."""

    key: str
    title: str
    rule: str
    examine: Callable[[Accuracies], Finding]


@dataclass(frozen=True)
class Answer:
    """What the report says of a claim."""

    claim: Claim
    status: Status
    text: str
    comparisons: list[Comparison]
    shortfall: str = ""  # why it does not hold

    @property
    def support(self) -> str:
        """How many comparisons are on the claim's side, in words."""
        clear = sum(comparison.outcome == "for" for comparison in self.comparisons)
        return f"{clear} of {len(self.comparisons)} comparisons bear it out."


CLAIMS: list[Claim] = []


def _claim(key: str, title: str, rule: str):
    def register(examine: Callable[[Accuracies], Finding]) -> Callable[[Accuracies], Finding]:
        CLAIMS.append(Claim(key, title, rule, examine))
        return examine

    return register


def answer_claims(table: Accuracies) -> list[Answer]:
    """An answer to each of the eight claims, in the paper's order."""
    return [_answer(claim, claim.examine(table)) for claim in CLAIMS]


def _answer(claim: Claim, finding: Finding) -> Answer:
    if finding.missing:
        return Answer(claim, "not tested", finding.missing, [])
    if all(comparison.outcome == "for" for comparison in finding.comparisons):
        return Answer(claim, "holds", finding.text, finding.comparisons)
    return Answer(claim, "does not hold", finding.text, finding.comparisons, _shortfall(finding.comparisons))


def _shortfall(comparisons: list[Comparison]) -> str:
    """What keeps a claim from holding."""
    sentences = []
    for outcome in ("against", "open"):
        found = [comparison for comparison in comparisons if comparison.outcome == outcome]
        if found and len(comparisons) == 1:
            sentences.append(f"The difference {_verb(found, outcome)}.")
        elif found:
            sentences.append(
                f"{len(found)} of {len(comparisons)} comparisons {_verb(found, outcome)}: {_shown(found)}."
            )
    return " ".join(sentences)


def _verb(found: list[Comparison], outcome: str) -> str:
    one, threshold = len(found) == 1, found[0].threshold
    if threshold:
        limit = f"the limit of {signed(threshold, 0)} points"
        return (
            f"{'misses' if one else 'miss'} {limit}"
            if outcome == "against"
            else f"cannot be told from {limit}"
        )
    if outcome == "against":
        return "points the other way" if one else "point the other way"
    return "lies within its error bars" if one else "lie within their error bars"


def _shown(comparisons: list[Comparison], most: int = 3) -> str:
    labels = [f"{comparison.label} ({signed(comparison.difference.mean)})" for comparison in comparisons]
    more = len(labels) - most
    return listing(labels[:most] + ([f"{more} more"] if more > 0 else []))


def _logits(family: str, budget: str) -> Model:
    return Model(family, budget, "logits")


def _compare(
    table: Accuracies, better: Model, worse: Model, label: str, threshold: float = 0.0
) -> Comparison:
    difference = table.difference(better, worse)
    return Comparison(label, difference, threshold, published.difference(better, worse))


def _complete_budgets(table: Accuracies, families: tuple[str, ...]) -> list[str]:
    """The budgets at which a student of every family finished."""
    return [b for b in table.budgets() if all(_logits(family, b) in table for family in families)]


def _missing(table: Accuracies, need: str, families: tuple[str, ...], arm: str = "logits") -> str:
    """Why a claim that needs `need` can't be tested, naming what diverged."""
    lost = [m for m in table.cells if m.arm == arm and m.family in families and table.diverged(m)]
    diverged = f" Diverged: {listing([f'{m.family} at {m.budget}' for m in lost])}." if lost else ""
    return f"Needs {need}.{diverged}"


def extremes(table: Accuracies, budget: str) -> tuple[Model, Model] | None:
    """The least accurate convolutional student and the most accurate MLP at a budget, or None."""
    convs = [_logits(family, budget) for family in CONVS if _logits(family, budget) in table]
    mlps = [_logits(family, budget) for family in MLPS if _logits(family, budget) in table]
    return (min(convs, key=table.mean), max(mlps, key=table.mean)) if convs and mlps else None


@_claim(
    "convolutional_gap",
    "No student without convolution comes near the convolutional students of its size.",
    "At every budget with students of both kinds, the least accurate convolutional student leads the most "
    f"accurate MLP by more than {100 * NEAR:.0f} points. The threshold for “near” is ours.",
)
def _convolutional_gap(table: Accuracies) -> Finding:
    pairs = {budget: pair for budget in table.budgets() if (pair := extremes(table, budget))}
    if not pairs:
        return Finding(
            missing=_missing(table, "an MLP and a convolutional student at one budget", MLPS + CONVS)
        )
    comparisons = [
        _compare(table, conv, mlp, f"{conv.family} over {mlp.family}, {budget}", NEAR)
        for budget, (conv, mlp) in pairs.items()
    ]
    budget, (conv, mlp) = min(pairs.items(), key=lambda item: table.mean(item[1][0]) - table.mean(item[1][1]))
    smallest = min(comparisons, key=lambda comparison: comparison.difference.mean).difference
    text = (
        f"At {budget}, {conv.family}, the weakest student with convolution, reaches "
        f"{percent(table.mean(conv))} and {mlp.family}, the best without, {percent(table.mean(mlp))}: "
        f"a gap of {100 * smallest.mean:.1f} points {signed_bounds(smallest, 1)}"
    )
    return Finding(text + (", the smallest of all budgets." if len(pairs) > 1 else "."), comparisons)


@_claim(
    "several_layers",
    "Accuracy rises with the number of convolutional layers, from one to four.",
    "At every budget at which all four convolutional students finished, each further layer adds accuracy.",
)
def _several_layers(table: Accuracies) -> Finding:
    budgets = _complete_budgets(table, CONVS)
    if not budgets:
        return Finding(
            missing=_missing(table, "students with 1, 2, 3 and 4 convolutions at one budget", CONVS)
        )
    comparisons = [
        _compare(
            table, _logits(deeper, budget), _logits(shallower, budget), f"{deeper} over {shallower}, {budget}"
        )
        for budget in budgets
        for shallower, deeper in pairwise(CONVS)
    ]
    means = [percent(table.mean(_logits(family, budgets[-1]))) for family in CONVS]
    return Finding(f"At {budgets[-1]}, one to four layers reach {listing(means)}.", comparisons)


def best_student(table: Accuracies) -> Model | None:
    """The convolutional student with the best validation accuracy, or None."""
    convs = table.models("logits", CONVS)
    return max(convs, key=lambda model: table.cells[model].validation_accuracy, default=None)


@_claim(
    "shallower_than_teachers",
    "Students need not be as deep as their teachers.",
    "The best convolutional student, at most four convolutions to eight of the teachers, is no more than "
    f"{100 * KEEPS_UP:.0f} point behind the best single teacher; validation accuracy picks both. "
    "The margin is ours.",
)
def _shallower_than_teachers(table: Accuracies) -> Finding:
    student = best_student(table)
    if student is None or TEACHER not in table:
        return Finding(missing=_missing(table, "a convolutional student and a teacher that finished", CONVS))
    label = f"{student.family} {student.budget} over the best teacher"
    comparison = _compare(table, student, TEACHER, label, -KEEPS_UP)
    text = (
        f"{student.family} at {student.budget} reaches {percent(table.mean(student))}, the best teacher "
        f"{percent(table.mean(TEACHER))}: {_points(comparison.difference)}."
    )
    return Finding(text, [comparison])


def _points(difference: Interval) -> str:
    return f"a difference of {signed(difference.mean)} points {signed_bounds(difference)}"


def _ladder(table: Accuracies, family: str) -> list[Model]:
    return table.models("logits", (family,))


@_claim(
    "more_parameters",
    "Every student gains from more parameters.",
    "In every family that finished at two or more budgets, the largest student beats the smallest.",
)
def _more_parameters(table: Accuracies) -> Finding:
    ladders = [ladder for family in MLPS + CONVS if len(ladder := _ladder(table, family)) > 1]
    if not ladders:
        return Finding(missing=_missing(table, "one family at two budgets or more", ()))
    comparisons = [
        _compare(
            table, ladder[-1], ladder[0], f"{ladder[0].family}, {ladder[-1].budget} over {ladder[0].budget}"
        )
        for ladder in ladders
    ]
    gains = [comparison.difference.mean for comparison in comparisons]
    if len(gains) == 1:
        text = f"{comparisons[0].label}: {signed(gains[0])} points."
    else:
        text = (
            f"{len(gains)} families gain between {signed(min(gains), 1)} and {signed(max(gains), 1)} points."
        )
    return Finding(text, comparisons)


@_claim(
    "depth_before_size",
    "The largest student with one convolution is less accurate than the smallest with two.",
    "The smallest conv2 beats the largest conv1, which must have a larger budget.",
)
def _depth_before_size(table: Accuracies) -> Finding:
    ones, twos = _ladder(table, "conv1"), _ladder(table, "conv2")
    if not ones or not twos or budget_parameters(ones[-1].budget) <= budget_parameters(twos[0].budget):
        need = "conv2, and conv1 at a larger budget"
        return Finding(missing=_missing(table, need, ("conv1", "conv2")))
    comparison = _compare(table, twos[0], ones[-1], f"conv2 {twos[0].budget} over conv1 {ones[-1].budget}")
    text = (
        f"conv2 at {twos[0].budget} reaches {percent(table.mean(twos[0]))}, conv1 at {ones[-1].budget} "
        f"{percent(table.mean(ones[-1]))}: {_points(comparison.difference)}."
    )
    return Finding(text, [comparison])


def compression_pairs(table: Accuracies) -> list[tuple[Model, Model]]:
    """Each mimic student that has a hard-label twin, with that twin; the shallowest family first."""
    pairs = [(_logits(twin.family, twin.budget), twin) for twin in table.models("labels")]
    return [pair for pair in pairs if pair[0] in table]


@_claim(
    "compression_gap",
    "Students that mimic beat their twins trained on hard labels, most where the net is shallowest.",
    "Each mimic student beats its twin, and at each budget the shallowest convolutional family with a twin "
    "gains more than the deepest.",
)
def _compression_gap(table: Accuracies) -> Finding:
    pairs = compression_pairs(table)
    depths = [(p, q) for p, q in _depth_ends(pairs) if p != q]
    if not depths:
        need = "mimic students and hard-label twins of two depths at one budget"
        return Finding(missing=_missing(table, need, CONVS, "labels"))
    comparisons = [
        _compare(table, *pair, f"{pair[0].family} over its twin, {pair[0].budget}") for pair in pairs
    ]
    comparisons += [_gain_comparison(table, shallow, deep) for shallow, deep in depths]
    shallow, deep = depths[-1]
    text = (
        f"At {shallow[0].budget}, {shallow[0].family} gains {_gain(table, shallow)} points over its twin and "
        f"{deep[0].family} {_gain(table, deep)}."
    )
    return Finding(text, comparisons)


def _depth_ends(pairs: list[tuple[Model, Model]]) -> list[tuple[tuple[Model, Model], tuple[Model, Model]]]:
    """The shallowest and the deepest convolutional pair of each budget."""
    convs = [pair for pair in pairs if pair[0].family in CONVS]
    budgets = sorted({pair[0].budget for pair in convs}, key=budget_parameters)
    groups = [[pair for pair in convs if pair[0].budget == budget] for budget in budgets]
    return [(group[0], group[-1]) for group in groups]


def _gain(table: Accuracies, pair: tuple[Model, Model]) -> str:
    return signed(table.mean(pair[0]) - table.mean(pair[1]))


def _gain_comparison(
    table: Accuracies, shallow: tuple[Model, Model], deep: tuple[Model, Model]
) -> Comparison:
    theirs = published.difference(*shallow), published.difference(*deep)
    return Comparison(
        f"gain of {shallow[0].family} over gain of {deep[0].family}, {shallow[0].budget}",
        table.gain_difference(shallow, deep),
        published=None if None in theirs else theirs[0] - theirs[1],
    )


@_claim(
    "mlp_depth",
    "Among MLPs two or three hidden layers are best; four and five are worse.",
    "At every budget at which all five MLPs finished, the better of mlp2 and mlp3, by validation accuracy, "
    "beats mlp1, mlp4 and mlp5.",
)
def _mlp_depth(table: Accuracies) -> Finding:
    budgets = _complete_budgets(table, MLPS)
    if not budgets:
        return Finding(missing=_missing(table, "MLPs with 1 to 5 hidden layers at one budget", MLPS))
    comparisons = []
    for budget in budgets:
        middle = [_logits("mlp2", budget), _logits("mlp3", budget)]
        best = max(middle, key=lambda model: table.cells[model].validation_accuracy)
        comparisons += [
            _compare(table, best, _logits(other, budget), f"{best.family} over {other}, {budget}")
            for other in ("mlp1", "mlp4", "mlp5")
        ]
    means = [percent(table.mean(_logits(family, budgets[-1]))) for family in MLPS]
    return Finding(f"At {budgets[-1]}, one to five hidden layers reach {listing(means)}.", comparisons)


@_claim(
    "no_regularisation",
    "Dropout and weight decay harm students that mimic logits.",
    "Each student trained without them beats its twin trained with them on the same logits.",
)
def _no_regularisation(table: Accuracies) -> Finding:
    pairs = [(_logits(twin.family, twin.budget), twin) for twin in table.models("regularised")]
    pairs = [pair for pair in pairs if pair[0] in table]
    if not pairs:
        need = "a student on logits with dropout or weight decay, and the same without"
        return Finding(missing=_missing(table, need, MLPS + CONVS, "regularised"))
    comparisons = [
        _compare(table, *pair, f"{pair[0].family} without over with, {pair[0].budget}") for pair in pairs
    ]
    plain, twin = pairs[0]
    text = (
        f"{plain.family} at {plain.budget} reaches {percent(table.mean(plain))} without and "
        f"{percent(table.mean(twin))} with: {_points(comparisons[0].difference)}."
    )
    return Finding(text, comparisons)
