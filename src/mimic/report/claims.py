"""The paper's eight claims, each a set of hypotheses that the table of accuracies answers.

A hypothesis is a contrast of accuracies that lies above a threshold. A claim is

- *supported* when each of its hypotheses is: its whole interval lies above the threshold;
- *contradicted* when one of them lies below, by a one-sided test: Bonferroni's correction over the claim's
  hypotheses, Holm's over the eight claims;
- *undecided* otherwise, and whenever a model that it needs diverged or ended at chance, or where it compares
  what was tuned with unequal effort;
- *not tested* without the models that it needs.

With one seed a model is an anecdote: the answer is *exploratory*. The rules are ours. Only the families of
the paper, and conv8 in one claim, answer; further ones stand in tables and charts.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import Literal

import numpy as np

from mimic.config.parameters import budget_parameters
from mimic.evaluation.intervals import Interval
from mimic.report import published
from mimic.report.accuracies import TEACHERS, Accuracies, Model, Weights
from mimic.report.numerals import listing, percent, plural, signed, signed_bounds
from mimic.report.published import CONVS, MLPS

Status = Literal["supported", "contradicted", "undecided", "not tested"]

# Ours: the paper gives no margins.
NEAR = 0.05  # an MLP within five points of a convolutional student comes near it
KEEPS_UP = 0.01  # a student that may be a point behind still keeps up
AS_GOOD = 0.005  # and one half a point behind is as good
FEWEST_MLP_PARAMETERS = 3_160_000  # of budgets at which the paper's MLPs differ with their depth
FEWEST_AS_GOOD = 10_000_000  # of budgets at which the paper's students are as good as its teachers
DEEP = "conv8"  # the teachers' shape within a student's budget
SHOWN = 3  # comparisons that a sentence names


@dataclass(frozen=True)
class Hypothesis:
    """A contrast that a claim says to exceed `threshold`; fractions of 1."""

    label: str
    weights: Weights
    threshold: float = 0.0
    by_seed: tuple[tuple[Model, Model], ...] = ()  # pairs of `weights` that begin from the same weights
    must: bool = True  # False: it need not be shown, only not be refuted
    refutes: bool = True  # False: however far below, it leaves the claim undecided


@dataclass(frozen=True)
class Comparison:
    """A hypothesis and what was found."""

    label: str
    difference: Interval
    threshold: float = 0.0
    published: float | None = None
    must: bool = True
    refutes: bool = True

    @property
    def outcome(self) -> Literal["for", "against", "open"]:
        """Whether the whole interval lies on the claim's side, on the other side, or on both."""
        if self.difference.low > self.threshold:
            return "for"
        return "against" if self.difference.high < self.threshold else "open"


Evidence = tuple[str, Sequence[Hypothesis]]  # of a claim: what was found in words, or what it needs
Pairs = list[tuple[Model, Model]]


@dataclass(frozen=True)
class Claim:
    """A claim of the paper, and the rule that decides it."""

    key: str
    title: str
    rule: str
    examine: Callable[[Accuracies], Evidence]
    asks_equal_effort: bool = False  # of the search for either arm's hyperparameters


@dataclass(frozen=True)
class Answer:
    """What the report says of a claim."""

    claim: Claim
    text: str
    comparisons: list[Comparison]
    lost: tuple[str, ...] = ()  # models of which a seed diverged or ended at chance
    unconverged: tuple[str, ...] = ()  # models that still learnt when they ended
    uneven: tuple[str, ...] = ()  # twins that were not tuned as their students were
    status: Status = "not tested"

    @property
    def is_exploratory(self) -> bool:
        return min((c.difference.seeds for c in self.comparisons), default=2) < 2

    @property
    def is_open(self) -> bool:
        """Whether nothing that was found can decide it."""
        return bool(self.lost or (self.uneven and self.claim.asks_equal_effort))

    @property
    def refutation(self) -> float:
        """The p-value of the hypotheses together, by Bonferroni's correction: small where one is refuted."""
        if self.is_open:
            return 1.0
        chances = [c.difference.chance_below(c.threshold) for c in self.comparisons if c.refutes]
        return min([1.0, *(len(chances) * chance for chance in chances)])

    @property
    def is_supported(self) -> bool:
        needed = [c for c in self.comparisons if c.must]
        return not self.is_open and bool(needed) and all(c.outcome == "for" for c in needed)

    @property
    def shortfall(self) -> str:
        """What keeps the claim from being supported, and what the study could have seen."""
        sentences = []
        if self.lost:
            sentences.append(f"Diverged or ended at chance: {listing(list(self.lost))}.")
        if self.uneven:
            sentences.append(f"Not tuned alike: {'; '.join(self.uneven)}.")
        for outcome, verb in (("against", "below what the claim says"), ("open", "undecided")):
            found = [c for c in self.comparisons if c.outcome == outcome and (c.must or outcome == "against")]
            if found:
                labels = [_open(c) if outcome == "open" else f"{c.label} ({_points(c)})" for c in found]
                labels[SHOWN:] = [f"{len(labels) - SHOWN} more"] if len(labels) > SHOWN else []
                number = f"{len(found)} of {len(self.comparisons)} comparisons"
                sentences.append(f"{number} {'are' if len(found) > 1 else 'is'} {verb}: {'; '.join(labels)}.")
        if self.unconverged:
            sentences.append(f"Not converged: {listing(list(self.unconverged))}.")
        return " ".join(sentences)


def _points(comparison: Comparison) -> str:
    return f"{signed(comparison.difference.mean)} points"


def _open(comparison: Comparison) -> str:
    """How far off the study could have seen it, and where the published value lies."""
    interval, theirs = comparison.difference, comparison.published
    words = (
        f"{comparison.label} ({_points(comparison)}, {signed(interval.detectable)[1:]} would have been seen"
    )
    if theirs is not None:
        lies = "lies within" if interval.low <= theirs <= interval.high else "lies outside"
        words += f", the published {signed(theirs, 1)} {lies}"
    return words + ")"


CLAIMS: list[Claim] = []


def _claim(title: str, rule: str, asks_equal_effort: bool = False):
    """Register what examines a claim; its name is the claim's key."""

    def register(examine: Callable[[Accuracies], Evidence]) -> Callable[[Accuracies], Evidence]:
        CLAIMS.append(Claim(examine.__name__, title, rule, examine, asks_equal_effort))
        return examine

    return register


def answer_claims(table: Accuracies) -> list[Answer]:
    """An answer to each of the eight claims, in the paper's order."""
    answers = [_examined(claim, table) for claim in CLAIMS]
    refuted = _holm([answer.refutation for answer in answers], 1 - table.confidence)
    return [
        replace(answer, status=_status(answer, is_refuted))
        for answer, is_refuted in zip(answers, refuted, strict=True)
    ]


def _examined(claim: Claim, table: Accuracies) -> Answer:
    text, hypotheses = claim.examine(table)
    models = list(dict.fromkeys(model for found in hypotheses for model in found.weights))
    cells = {model: table.cells[model] for model in models}
    lost = tuple(_name(model) for model, cell in cells.items() if cell.diverged or cell.dead)
    unconverged = tuple(_name(model) for model, cell in cells.items() if cell.unconverged)
    uneven = tuple(
        f"{_name(model)}, {plural(cell.trials, 'trial')}, its student {student.trials}"
        for model, cell in cells.items()
        if (student := cells.get(model._replace(arm="logits"), cell)).trials != cell.trials
    )
    whole = [found for found in hypotheses if all(model in table for model in found.weights)]
    comparisons = [
        Comparison(
            label=found.label,
            difference=table.mean_difference_by_seed(found.by_seed)
            if found.by_seed
            else table.contrast(found.weights),
            threshold=found.threshold,
            published=published.contrast(found.weights),
            must=found.must,
            refutes=found.refutes,
        )
        for found in whole
    ]
    return Answer(claim, text, comparisons, lost, unconverged, uneven)


def _status(answer: Answer, is_refuted: bool) -> Status:
    if not answer.comparisons and not answer.lost:
        return "not tested"
    if is_refuted:
        return "contradicted"
    return "supported" if answer.is_supported else "undecided"


def _holm(chances: list[float], level: float) -> list[bool]:
    """Which hypotheses are rejected so that all are right with probability 1 - level (Holm 1979)."""
    rejected = [False] * len(chances)
    for step, place in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        if chances[place] > level / (len(chances) - step):
            break
        rejected[place] = True
    return rejected


def _name(model: Model) -> str:
    arm = {"": "", "logits": "", "labels": " on labels"}.get(
        model.arm, f" with {model.arm.replace('_', ' ')}"
    )
    return f"{model.family} at {model.budget}{arm}" if model.budget else model.family


def _over(better: Model, worse: Model) -> Weights:
    return {better: 1.0, worse: -1.0}


def _mean(contrasts: Iterable[Weights]) -> Weights:
    """The mean of several contrasts."""
    found, total = list(contrasts), dict[Model, float]()
    for weights in found:
        for model, weight in weights.items():
            total[model] = total.get(model, 0.0) + weight / len(found)
    return total


def _trend(models: Sequence[Model], at: Sequence[float]) -> Weights:
    """The slope of accuracy over `at`, by least squares."""
    centred = np.asarray(at, float) - np.mean(at)
    return dict(zip(models, (centred / (centred**2).sum()).tolist(), strict=True))


def _students(table: Accuracies, families: Sequence[str], arm: str = "logits") -> Iterator[list[Model]]:
    """Of each budget at which all of some families ran: their students, in the order of the families."""
    for budget in table.budgets(arm):
        models = [Model(family, budget, arm) for family in families]
        if all(model in table.cells for model in models):
            yield models


def _reached(table: Accuracies, models: Sequence[Model]) -> str:
    return listing([percent(table.mean(model)) if model in table else "nothing" for model in models])


def _told(table: Accuracies, weights: Weights) -> str:
    """A contrast in points with its interval; empty where a model of it was lost."""
    if any(model not in table for model in weights):
        return "unknown"
    interval = table.contrast(weights)
    return f"{signed(interval.mean)} points {signed_bounds(interval)}"


def gaps_by_budget(table: Accuracies) -> dict[str, tuple[Model, Model]]:
    """By validation: the worst convolutional student and the best MLP of each budget that has both."""
    pairs = {}
    for budget in table.budgets():
        nets = [model for model in table.models("logits") if model.budget == budget]
        convs, mlps = ([net for net in nets if net.family in families] for families in (CONVS, MLPS))
        if convs and mlps:
            pairs[budget] = table.worst(convs), table.best(mlps)
    return pairs


@_claim(
    "No student without convolution comes near the convolutional students of its size.",
    f"At every budget each convolutional student leads each MLP by more than {100 * NEAR:.0f} points.",
)
def convolutional_gap(table: Accuracies) -> Evidence:
    ran = [model for model in table.cells if model.arm == "logits"]
    pairs = [
        (conv, mlp)
        for conv, mlp in product(ran, ran)
        if conv.family in CONVS and mlp.family in MLPS and conv.budget == mlp.budget
    ]
    if not pairs:
        return "Needs an MLP and a convolutional student at one budget.", []
    text = "".join(
        f"At {budget}, {conv.family}, the weakest with convolution, reaches {percent(table.mean(conv))} and "
        f"{mlp.family}, the best without, {percent(table.mean(mlp))}."
        for budget, (conv, mlp) in list(gaps_by_budget(table).items())[-1:]
    )
    return text, [Hypothesis(f"{c.family} over {m.family}, {c.budget}", _over(c, m), NEAR) for c, m in pairs]


@_claim(
    "Accuracy rises with the number of convolutional layers, from one to four.",
    "conv2 over conv1, conv3 over conv2 and conv4 over conv3, each averaged over the budgets at which all "
    "four ran, lie above zero: all three. The trend stands beside them and decides nothing.",
)
def several_layers(table: Accuracies) -> Evidence:
    rows = list(_students(table, CONVS))
    if not rows:
        return "Needs students with 1, 2, 3 and 4 convolutions at one budget.", []
    steps = pairwise(range(len(CONVS)))
    hypotheses = [
        Hypothesis(f"{CONVS[more]} over {CONVS[less]}", _mean(_over(row[more], row[less]) for row in rows))
        for less, more in steps
    ]
    trend = _told(table, _mean(_trend(row, [1, 2, 3, 4]) for row in rows))
    text = f"At {rows[-1][0].budget}, one to four layers reach {_reached(table, rows[-1])}"
    return f"{text}; the trend over all budgets is {trend} a layer.", hypotheses


@_claim(
    "Students need not be as deep as their teachers.",
    f"conv4 is no more than {100 * KEEPS_UP:.0f} point behind {DEEP}, the teachers' eight convolutions in a "
    "student's budget, at every budget that has both; and the best student, chosen on validation images, "
    f"no more than {100 * KEEPS_UP:.0f} point behind the mean of the ensemble's members. Students below "
    "10M parameters, which in the paper too are further behind these, can't refute that.",
)
def shallower_than_teachers(table: Accuracies) -> Evidence:
    rows, convs = list(_students(table, ["conv4", DEEP])), table.models("logits", CONVS)
    if not rows or not convs or TEACHERS not in table:
        return f"Needs conv4 and {DEEP} at one budget, and teachers that finished.", []
    best = table.best(convs)
    hypotheses = [Hypothesis(f"conv4 over {DEEP}, {a.budget}", _over(a, b), -KEEPS_UP) for a, b in rows]
    label = f"{best.family} {best.budget} over the mean teacher"
    is_large = budget_parameters(best.budget) >= FEWEST_AS_GOOD
    hypotheses.append(Hypothesis(label, _over(best, TEACHERS), -KEEPS_UP, refutes=is_large))
    told = f"{best.family} at {best.budget} reaches {percent(table.mean(best))}, the teachers in the mean"
    return f"{told} {percent(table.mean(TEACHERS))}.", hypotheses


@_claim(
    "Every student gains from more parameters.",
    "In every family that ran at two budgets or more, accuracy rises with the logarithm of the budget: the "
    "slope by least squares, in points for ten times the parameters, lies above zero.",
)
def more_parameters(table: Accuracies) -> Evidence:
    hypotheses = []
    for family in MLPS + CONVS:
        models = [
            Model(family, b, "logits") for b in table.budgets() if Model(family, b, "logits") in table.cells
        ]
        if len(models) > 1:
            sizes = [np.log10(budget_parameters(model.budget)) for model in models]
            hypotheses.append(Hypothesis(f"{family}, ten times the parameters", _trend(models, sizes)))
    if not hypotheses:
        return "Needs one family at two budgets or more.", []
    slopes = sorted(table.contrast(h.weights).mean for h in hypotheses if all(m in table for m in h.weights))
    if not slopes:
        return "", hypotheses
    between = f"between {signed(slopes[0], 1)} and {signed(slopes[-1], 1)} points"
    return f"{len(slopes)} families gain {between} from ten times the parameters.", hypotheses


@_claim(
    "The largest student with one convolution is no better than the smallest with two.",
    f"The smallest conv2 is no more than {100 * AS_GOOD:.1f} points behind the largest conv1, which must "
    "have a larger budget. Whether it is better is said apart.",
)
def depth_before_size(table: Accuracies) -> Evidence:
    ones, twos = (
        sorted(
            (m for m in table.cells if m.arm == "logits" and m.family == family),
            key=lambda m: budget_parameters(m.budget),
        )
        for family in ("conv1", "conv2")
    )
    if not ones or not twos or budget_parameters(ones[-1].budget) <= budget_parameters(twos[0].budget):
        return "Needs conv2, and conv1 at a larger budget.", []
    one, two = ones[-1], twos[0]
    hypothesis = Hypothesis(f"conv2 {two.budget} over conv1 {one.budget}", _over(two, one), -AS_GOOD)
    reached = [f"{m.family} at {m.budget} reaches {_reached(table, [m])}" for m in (two, one)]
    is_better = two in table and one in table and table.difference(two, one).low > 0
    better = "better" if is_better else "not shown to be better"
    return f"{listing(reached)}; conv2 is {better}.", [hypothesis]


def twin_pairs(table: Accuracies, arm: str) -> Pairs:
    """Each mimic student that has a twin in another arm, with that twin; the shallowest family first."""
    pairs = [(twin._replace(arm="logits"), twin) for twin in table.models(arm, MLPS + CONVS)]
    return [pair for pair in pairs if pair[0] in table]


@_claim(
    "Students that mimic beat their twins trained on hard labels, most where the net is shallowest.",
    "The gain from mimicking, averaged over all twins, lies above zero, and no family's is shown to be "
    "below; and gains fall with depth: their slope over the number of convolutions, averaged over budgets, "
    "lies below zero. The search for the hyperparameters of either arm must have had as many trials.",
    asks_equal_effort=True,
)
def compression_gap(table: Accuracies) -> Evidence:
    twins = [m for m in table.cells if m.arm == "labels" and m.family in MLPS + CONVS]
    pairs = [(twin._replace(arm="logits"), twin) for twin in twins]
    pairs = [pair for pair in pairs if pair[0] in table.cells]
    falls = []
    for budget in table.budgets("labels"):
        here = [(s, t) for s, t in pairs if s.budget == budget and s.family in CONVS]
        if len(here) > 1:
            depths = [CONVS.index(student.family) for student, _ in here]
            slopes = _trend([student for student, _ in here], depths)
            falls.append({s: -slopes[s] for s, _ in here} | {t: slopes[s] for s, t in here})
    if not falls:
        return "Needs mimic students and hard-label twins of two depths at one budget.", []
    gains = {
        family: _mean(_over(s, t) for s, t in pairs if s.family == family)
        for family in dict.fromkeys(s.family for s, _ in pairs)
    }
    hypotheses = [
        Hypothesis("gain, mean of all", _mean(_over(s, t) for s, t in pairs)),
        Hypothesis("fall of the gain, a layer", _mean(falls)),
        *(Hypothesis(f"gain of {family}", gain, must=False) for family, gain in gains.items()),
    ]
    told = listing([f"{family} {_told(table, gain)}" for family, gain in gains.items()])
    return f"Mimicking gains: {told}.", hypotheses


@_claim(
    "Among MLPs two or three hidden layers are best; four and five are worse.",
    "Averaged over the budgets from 3.16M at which all five MLPs ran, the mean of mlp2 and mlp3 lies above "
    "that of mlp4 and mlp5, and above mlp1.",
)
def mlp_depth(table: Accuracies) -> Evidence:
    rows = [r for r in _students(table, MLPS) if budget_parameters(r[0].budget) >= FEWEST_MLP_PARAMETERS]
    if not rows:
        return "Needs MLPs with 1 to 5 hidden layers at a budget of 3.16M or more.", []
    middle = [{two: 0.5, three: 0.5} for _, two, three, *_ in rows]
    deep = [{four: -0.5, five: -0.5} for *_, four, five in rows]
    hypotheses = [
        Hypothesis(
            "two and three over four and five", _mean(a | b for a, b in zip(middle, deep, strict=True))
        ),
        Hypothesis(
            "two and three over one", _mean(a | {r[0]: -1.0} for a, r in zip(middle, rows, strict=True))
        ),
    ]
    largest = f"At {rows[-1][0].budget}, one to five hidden layers reach {_reached(table, rows[-1])}."
    return largest, hypotheses


REGULARISERS = {"dropout": "dropout", "weight_decay": "weight decay"}  # arms, in words


@_claim(
    "Dropout and weight decay harm students that mimic logits.",
    "Students without lead their twins with dropout, in the mean over all such twins, and those with weight "
    "decay likewise: both. Twins begin from the same weights as the students.",
)
def no_regularisation(table: Accuracies) -> Evidence:
    arms = {
        words: [
            (twin._replace(arm="logits"), twin)
            for twin in table.cells
            if twin.arm == arm and twin._replace(arm="logits") in table.cells
        ]
        for arm, words in REGULARISERS.items()
    }
    if not all(arms.values()):
        return "Needs students on logits with dropout, others with weight decay, and the same without.", []
    hypotheses = [
        Hypothesis(f"without over with {words}", _mean(_over(*pair) for pair in pairs), by_seed=tuple(pairs))
        for words, pairs in arms.items()
    ]
    told = [f"{words} costs {_told(table, h.weights)}" for words, h in zip(arms, hypotheses, strict=True)]
    return f"In the mean {listing(told)}.", hypotheses
