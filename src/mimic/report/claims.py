"""The paper's eight claims, each answered from a table of accuracies.

A claim *holds* when every comparison that it needs is on its side with the whole interval; it *does not
hold* when any comparison is on the other side or lies within its error bars; it is *not tested* when
models that it needs did not run or diverged. The rules are ours, and conservative: an interval that is
too wide speaks against a claim, never for it. Intervals are not corrected for their number. Only the
families that the paper has answer a claim; further ones stand in tables and charts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from mimic.config.parameters import budget_parameters
from mimic.evaluation.bootstrap import Interval
from mimic.report import published
from mimic.report.accuracies import TEACHER, Accuracies, Model
from mimic.report.numerals import listing, percent, signed, signed_bounds
from mimic.report.published import CONVS, MLPS

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


Evidence = tuple[str, list[Comparison]]  # of a claim, in words and figures; without figures none


@dataclass(frozen=True)
class Claim:
    """A claim of the paper, and the rule that decides it."""

    key: str
    title: str
    rule: str
    examine: Callable[[Accuracies], Evidence]


@dataclass(frozen=True)
class Answer:
    """What the report says of a claim."""

    claim: Claim
    text: str
    comparisons: list[Comparison]

    @property
    def status(self) -> Status:
        if not self.comparisons:
            return "not tested"
        return "holds" if all(c.outcome == "for" for c in self.comparisons) else "does not hold"

    @property
    def support(self) -> str:
        """How many comparisons are on the claim's side, in words."""
        clear = sum(comparison.outcome == "for" for comparison in self.comparisons)
        return f"{clear} of {len(self.comparisons)} comparisons bear it out."

    @property
    def shortfall(self) -> str:
        """What keeps the claim from holding."""
        sentences, number = [], len(self.comparisons)
        for outcome in ("against", "open"):
            found = [comparison for comparison in self.comparisons if comparison.outcome == outcome]
            if found and number == 1:
                sentences.append(f"The difference {_verb(found, outcome)}.")
            elif found:
                verb = _verb(found, outcome)
                sentences.append(f"{len(found)} of {number} comparisons {verb}: {_shown(found)}.")
        return " ".join(sentences)


CLAIMS: list[Claim] = []


def _claim(key: str, title: str, rule: str):
    def register(examine: Callable[[Accuracies], Evidence]) -> Callable[[Accuracies], Evidence]:
        CLAIMS.append(Claim(key, title, rule, examine))
        return examine

    return register


def answer_claims(table: Accuracies) -> list[Answer]:
    """An answer to each of the eight claims, in the paper's order."""
    return [Answer(claim, *claim.examine(table)) for claim in CLAIMS]


def _verb(found: list[Comparison], outcome: str) -> str:
    several = len(found) > 1
    if threshold := found[0].threshold:
        limit = f"the limit of {signed(threshold, 0)} points"
        verb = ("misses", "miss")[several] if outcome == "against" else "cannot be told from"
        return f"{verb} {limit}"
    if outcome == "open":
        return f"{('lies', 'lie')[several]} within {('its', 'their')[several]} error bars"
    return f"{('points', 'point')[several]} the other way"


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


def _untested(table: Accuracies, need: str, families: tuple[str, ...], arm: str = "logits") -> Evidence:
    """None for a claim that has need of `need`: it can't be tested. Names what diverged."""
    lost = [m for m in table.cells if m.arm == arm and m.family in families and table.diverged(m)]
    diverged = f" Diverged: {listing([f'{m.family} at {m.budget}' for m in lost])}." if lost else ""
    return f"Needs {need}.{diverged}", []


def gaps_by_budget(table: Accuracies) -> dict[str, tuple[Model, Model]]:
    """The least accurate convolutional student and the most accurate MLP of each budget that has both."""
    pairs = {}
    for budget in table.budgets():
        convs, mlps = (
            [model for model in table.models("logits", families) if model.budget == budget]
            for families in (CONVS, MLPS)
        )
        if convs and mlps:
            pairs[budget] = min(convs, key=table.mean), max(mlps, key=table.mean)
    return pairs


@_claim(
    "convolutional_gap",
    "No student without convolution comes near the convolutional students of its size.",
    "At every budget with students of both kinds, the least accurate convolutional student leads the most "
    f"accurate MLP by more than {100 * NEAR:.0f} points. The threshold for “near” is ours.",
)
def _convolutional_gap(table: Accuracies) -> Evidence:
    pairs = gaps_by_budget(table)
    if not pairs:
        return _untested(table, "an MLP and a convolutional student at one budget", MLPS + CONVS)
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
    return text + (", the smallest of all budgets." if len(pairs) > 1 else "."), comparisons


@_claim(
    "several_layers",
    "Accuracy rises with the number of convolutional layers, from one to four.",
    "At every budget at which all four convolutional students finished, each further layer adds accuracy.",
)
def _several_layers(table: Accuracies) -> Evidence:
    budgets = _complete_budgets(table, CONVS)
    if not budgets:
        return _untested(table, "students with 1, 2, 3 and 4 convolutions at one budget", CONVS)
    comparisons = [
        _compare(
            table, _logits(deeper, budget), _logits(shallower, budget), f"{deeper} over {shallower}, {budget}"
        )
        for budget in budgets
        for shallower, deeper in pairwise(CONVS)
    ]
    means = [percent(table.mean(_logits(family, budgets[-1]))) for family in CONVS]
    return f"At {budgets[-1]}, one to four layers reach {listing(means)}.", comparisons


@_claim(
    "shallower_than_teachers",
    "Students need not be as deep as their teachers.",
    "The best convolutional student, at most four convolutions to eight of the teachers, is no more than "
    f"{100 * KEEPS_UP:.0f} point behind the best single teacher; validation accuracy picks both. "
    "The margin is ours.",
)
def _shallower_than_teachers(table: Accuracies) -> Evidence:
    convs = table.models("logits", CONVS)
    if not convs or TEACHER not in table:
        return _untested(table, "a convolutional student and a teacher that finished", CONVS)
    student = table.best(convs)
    label = f"{student.family} {student.budget} over the best teacher"
    comparison = _compare(table, student, TEACHER, label, -KEEPS_UP)
    text = (
        f"{student.family} at {student.budget} reaches {percent(table.mean(student))}, the best teacher "
        f"{percent(table.mean(TEACHER))}: {_points(comparison.difference)}."
    )
    return text, [comparison]


def _points(difference: Interval) -> str:
    return f"a difference of {signed(difference.mean)} points {signed_bounds(difference)}"


@_claim(
    "more_parameters",
    "Every student gains from more parameters.",
    "In every family that finished at two or more budgets, the largest student beats the smallest.",
)
def _more_parameters(table: Accuracies) -> Evidence:
    comparisons = [
        _compare(table, large, small, f"{small.family}, {large.budget} over {small.budget}")
        for small, large in table.ends(MLPS + CONVS)
    ]
    if not comparisons:
        return _untested(table, "one family at two budgets or more", ())
    gains = [comparison.difference.mean for comparison in comparisons]
    if len(gains) == 1:
        text = f"{comparisons[0].label}: {signed(gains[0])} points."
    else:
        text = (
            f"{len(gains)} families gain between {signed(min(gains), 1)} and {signed(max(gains), 1)} points."
        )
    return text, comparisons


@_claim(
    "depth_before_size",
    "The largest student with one convolution is less accurate than the smallest with two.",
    "The smallest conv2 beats the largest conv1, which must have a larger budget.",
)
def _depth_before_size(table: Accuracies) -> Evidence:
    ones, twos = (table.models("logits", (family,)) for family in ("conv1", "conv2"))
    if not ones or not twos or budget_parameters(ones[-1].budget) <= budget_parameters(twos[0].budget):
        need = "conv2, and conv1 at a larger budget"
        return _untested(table, need, ("conv1", "conv2"))
    comparison = _compare(table, twos[0], ones[-1], f"conv2 {twos[0].budget} over conv1 {ones[-1].budget}")
    text = (
        f"conv2 at {twos[0].budget} reaches {percent(table.mean(twos[0]))}, conv1 at {ones[-1].budget} "
        f"{percent(table.mean(ones[-1]))}: {_points(comparison.difference)}."
    )
    return text, [comparison]


def twin_pairs(table: Accuracies, arm: str) -> list[tuple[Model, Model]]:
    """Each mimic student that has a twin in another arm, with that twin; the shallowest family first."""
    pairs = [(_logits(twin.family, twin.budget), twin) for twin in table.models(arm, MLPS + CONVS)]
    return [pair for pair in pairs if pair[0] in table]


@_claim(
    "compression_gap",
    "Students that mimic beat their twins trained on hard labels, most where the net is shallowest.",
    "Each mimic student beats its twin, and at each budget the shallowest convolutional family with a twin "
    "gains more than the deepest.",
)
def _compression_gap(table: Accuracies) -> Evidence:
    pairs = twin_pairs(table, "labels")
    depths = [(p, q) for p, q in _depth_ends(pairs) if p != q]
    if not depths:
        need = "mimic students and hard-label twins of two depths at one budget"
        return _untested(table, need, CONVS, "labels")
    comparisons = [
        _compare(table, *pair, f"{pair[0].family} over its twin, {pair[0].budget}") for pair in pairs
    ]
    comparisons += [_gain_comparison(table, shallow, deep) for shallow, deep in depths]
    shallow, deep = depths[-1]
    text = (
        f"At {shallow[0].budget}, {shallow[0].family} gains {_gain(table, shallow)} points over its twin and "
        f"{deep[0].family} {_gain(table, deep)}."
    )
    return text, comparisons


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
def _mlp_depth(table: Accuracies) -> Evidence:
    budgets = _complete_budgets(table, MLPS)
    if not budgets:
        return _untested(table, "MLPs with 1 to 5 hidden layers at one budget", MLPS)
    comparisons = []
    for budget in budgets:
        middle = [_logits("mlp2", budget), _logits("mlp3", budget)]
        best = table.best(middle)
        comparisons += [
            _compare(table, best, _logits(other, budget), f"{best.family} over {other}, {budget}")
            for other in ("mlp1", "mlp4", "mlp5")
        ]
    means = [percent(table.mean(_logits(family, budgets[-1]))) for family in MLPS]
    return f"At {budgets[-1]}, one to five hidden layers reach {listing(means)}.", comparisons


@_claim(
    "no_regularisation",
    "Dropout and weight decay harm students that mimic logits.",
    "Each student trained without them beats its twin trained with them on the same logits.",
)
def _no_regularisation(table: Accuracies) -> Evidence:
    pairs = twin_pairs(table, "regularised")
    if not pairs:
        need = "a student on logits with dropout or weight decay, and the same without"
        return _untested(table, need, MLPS + CONVS, "regularised")
    comparisons = [
        _compare(table, *pair, f"{pair[0].family} without over with, {pair[0].budget}") for pair in pairs
    ]
    plain, twin = pairs[0]
    text = (
        f"{plain.family} at {plain.budget} reaches {percent(table.mean(plain))} without and "
        f"{percent(table.mean(twin))} with: {_points(comparisons[0].difference)}."
    )
    return text, comparisons
