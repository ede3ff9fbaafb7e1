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
SHOWN = 3  # comparisons that a sentence names
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
Models = list[Model]
Pairs = list[tuple[Model, Model]]  # the one that a claim says is better, and the other


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
    def shortfall(self) -> str:
        """What keeps the claim from holding."""
        sentences, number = [], len(self.comparisons)
        for outcome in ("against", "open"):
            found = [comparison for comparison in self.comparisons if comparison.outcome == outcome]
            labels = [f"{comparison.label} ({signed(comparison.difference.mean)})" for comparison in found]
            if len(labels) > SHOWN:
                labels[SHOWN:] = [f"{len(labels) - SHOWN} more"]
            if found:
                who = "The difference" if number == 1 else f"{len(found)} of {number} comparisons"
                which = "" if number == 1 else f": {listing(labels)}"
                sentences.append(f"{who} {_verb(found, outcome)}{which}.")
        return " ".join(sentences)


CLAIMS: list[Claim] = []


def _claim(title: str, rule: str):
    """Register what examines a claim; its name is the claim's key."""

    def register(examine: Callable[[Accuracies], Evidence]) -> Callable[[Accuracies], Evidence]:
        CLAIMS.append(Claim(examine.__name__, title, rule, examine))
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


def _compare(
    table: Accuracies, better: Model, worse: Model, label: str = "", threshold: float = 0.0
) -> Comparison:
    label = label or f"{better.family} over {worse.family}, {better.budget}"
    return Comparison(label, table.difference(better, worse), threshold, published.difference(better, worse))


def _told(table: Accuracies, better: Model, worse: Model) -> str:
    """What two models reach, and by how much they differ."""
    names = [f"{m.family} at {m.budget}" if m.budget else "the best teacher" for m in (better, worse)]
    reach = f"{names[0]} reaches {percent(table.mean(better))}, {names[1]} {percent(table.mean(worse))}"
    return f"{reach}: {_points(table.difference(better, worse))}."


def _points(difference: Interval) -> str:
    return f"a difference of {signed(difference.mean)} points {signed_bounds(difference)}"


def _untested(table: Accuracies, need: str, families: tuple[str, ...], arm: str = "logits") -> Evidence:
    """None for a claim that has need of `need`: it can't be tested. Names what diverged."""
    lost = [m for m in table.cells if m.arm == arm and m.family in families and table.diverged(m)]
    diverged = f" Diverged: {listing([f'{m.family} at {m.budget}' for m in lost])}." if lost else ""
    return f"Needs {need}.{diverged}", []


def gaps_by_budget(table: Accuracies) -> dict[str, tuple[Model, Model]]:
    """The least accurate convolutional student and the most accurate MLP of each budget that has both."""
    pairs = {}
    for budget in table.budgets():
        nets = [model for model in table.models("logits") if model.budget == budget]
        convs, mlps = ([net for net in nets if net.family in families] for families in (CONVS, MLPS))
        if convs and mlps:
            pairs[budget] = min(convs, key=table.mean), max(mlps, key=table.mean)
    return pairs


@_claim(
    "No student without convolution comes near the convolutional students of its size.",
    "At every budget with students of both kinds, the least accurate convolutional student leads the most "
    f"accurate MLP by more than {100 * NEAR:.0f} points. The threshold for “near” is ours.",
)
def convolutional_gap(table: Accuracies) -> Evidence:
    pairs = gaps_by_budget(table)
    if not pairs:
        return _untested(table, "an MLP and a convolutional student at one budget", MLPS + CONVS)
    comparisons = [_compare(table, *pair, threshold=NEAR) for pair in pairs.values()]
    conv, mlp = min(pairs.values(), key=lambda pair: table.mean(pair[0]) - table.mean(pair[1]))
    smallest = table.difference(conv, mlp)
    text = (
        f"At {conv.budget}, {conv.family}, the weakest student with convolution, reaches "
        f"{percent(table.mean(conv))} and {mlp.family}, the best without, {percent(table.mean(mlp))}: "
        f"a gap of {100 * smallest.mean:.1f} points {signed_bounds(smallest, 1)}"
    )
    return text + (", the smallest of all budgets." if len(pairs) > 1 else "."), comparisons


@_claim(
    "Accuracy rises with the number of convolutional layers, from one to four.",
    "At every budget at which all four convolutional students finished, each further layer adds accuracy.",
)
def several_layers(table: Accuracies) -> Evidence:
    need, layers = "students with 1, 2, 3 and 4 convolutions at one budget", "one to four layers"
    return _by_depth(table, CONVS, need, layers, lambda nets: [pair[::-1] for pair in pairwise(nets)])


def _by_depth(
    table: Accuracies, families: tuple[str, ...], need: str, layers: str, pairs: Callable[[Models], Pairs]
) -> Evidence:
    """Compare `pairs` of the students, by depth, of every budget at which all families finished."""
    nets = {budget: [Model(family, budget, "logits") for family in families] for budget in table.budgets()}
    nets = {budget: found for budget, found in nets.items() if all(model in table for model in found)}
    if not nets:
        return _untested(table, need, families)
    comparisons = [_compare(table, *pair) for found in nets.values() for pair in pairs(found)]
    budget, largest = list(nets.items())[-1]
    means = [percent(table.mean(model)) for model in largest]
    return f"At {budget}, {layers} reach {listing(means)}.", comparisons


@_claim(
    "Students need not be as deep as their teachers.",
    "The best convolutional student, at most four convolutions to eight of the teachers, is no more than "
    f"{100 * KEEPS_UP:.0f} point behind the best single teacher; validation accuracy picks both. "
    "The margin is ours.",
)
def shallower_than_teachers(table: Accuracies) -> Evidence:
    convs = table.models("logits", CONVS)
    if not convs or TEACHER not in table:
        return _untested(table, "a convolutional student and a teacher that finished", CONVS)
    student = table.best(convs)
    label = f"{student.family} {student.budget} over the best teacher"
    return _told(table, student, TEACHER), [_compare(table, student, TEACHER, label, -KEEPS_UP)]


@_claim(
    "Every student gains from more parameters.",
    "In every family that finished at two or more budgets, the largest student beats the smallest.",
)
def more_parameters(table: Accuracies) -> Evidence:
    comparisons = [
        _compare(table, large, small, f"{small.family}, {large.budget} over {small.budget}")
        for small, large in table.ends(MLPS + CONVS)
    ]
    if not comparisons:
        return _untested(table, "one family at two budgets or more", ())
    gains = sorted(comparison.difference.mean for comparison in comparisons)
    if len(gains) == 1:
        return f"{comparisons[0].label}: {signed(gains[0])} points.", comparisons
    between = f"between {signed(gains[0], 1)} and {signed(gains[-1], 1)} points"
    return f"{len(gains)} families gain {between}.", comparisons


@_claim(
    "The largest student with one convolution is less accurate than the smallest with two.",
    "The smallest conv2 beats the largest conv1, which must have a larger budget.",
)
def depth_before_size(table: Accuracies) -> Evidence:
    ones, twos = (table.models("logits", (family,)) for family in ("conv1", "conv2"))
    if not ones or not twos or budget_parameters(ones[-1].budget) <= budget_parameters(twos[0].budget):
        return _untested(table, "conv2, and conv1 at a larger budget", ("conv1", "conv2"))
    two, one = twos[0], ones[-1]
    label = f"conv2 {two.budget} over conv1 {one.budget}"
    return _told(table, two, one), [_compare(table, two, one, label)]


def twin_pairs(table: Accuracies, arm: str) -> Pairs:
    """Each mimic student that has a twin in another arm, with that twin; the shallowest family first."""
    pairs = [(twin._replace(arm="logits"), twin) for twin in table.models(arm, MLPS + CONVS)]
    return [pair for pair in pairs if pair[0] in table]


@_claim(
    "Students that mimic beat their twins trained on hard labels, most where the net is shallowest.",
    "Each mimic student beats its twin, and at each budget the shallowest convolutional family with a twin "
    "gains more than the deepest.",
)
def compression_gap(table: Accuracies) -> Evidence:
    pairs = twin_pairs(table, "labels")
    budgets = [[p for p in pairs if p[0].family in CONVS and p[0].budget == b] for b in table.budgets()]
    depths = [(found[0], found[-1]) for found in budgets if len(found) > 1]
    if not depths:
        need = "mimic students and hard-label twins of two depths at one budget"
        return _untested(table, need, CONVS, "labels")
    comparisons = [_compare(table, s, t, f"{s.family} over its twin, {s.budget}") for s, t in pairs]
    for shallow, deep in depths:
        label = f"gain of {shallow[0].family} over gain of {deep[0].family}, {shallow[0].budget}"
        theirs = [published.difference(*pair) for pair in (shallow, deep)]
        gain = None if None in theirs else theirs[0] - theirs[1]
        comparisons.append(Comparison(label, table.gain_difference(shallow, deep), published=gain))
    gains = [signed(table.mean(student) - table.mean(twin)) for student, twin in depths[-1]]
    (first, _), (last, _) = depths[-1]
    ours = f"{first.family} gains {gains[0]} points over its twin and {last.family} {gains[1]}"
    return f"At {first.budget}, {ours}.", comparisons


@_claim(
    "Among MLPs two or three hidden layers are best; four and five are worse.",
    "At every budget at which all five MLPs finished, the better of mlp2 and mlp3, by validation accuracy, "
    "beats mlp1, mlp4 and mlp5.",
)
def mlp_depth(table: Accuracies) -> Evidence:
    def pairs(nets: Models) -> Pairs:
        one, *middle, four, five = nets
        return [(table.best(middle), other) for other in (one, four, five)]

    need = "MLPs with 1 to 5 hidden layers at one budget"
    return _by_depth(table, MLPS, need, "one to five hidden layers", pairs)


@_claim(
    "Dropout and weight decay harm students that mimic logits.",
    "Each student trained without them beats its twin trained with them on the same logits.",
)
def no_regularisation(table: Accuracies) -> Evidence:
    pairs = twin_pairs(table, "regularised")
    if not pairs:
        need = "a student on logits with dropout or weight decay, and the same without"
        return _untested(table, need, MLPS + CONVS, "regularised")
    comparisons = [_compare(table, s, t, f"{s.family} without over with, {s.budget}") for s, t in pairs]
    plain, twin = pairs[0]
    text = (
        f"{plain.family} at {plain.budget} reaches {percent(table.mean(plain))} without and "
        f"{percent(table.mean(twin))} with: {_points(comparisons[0].difference)}."
    )
    return text, comparisons
