"""The figures of Figure 1: a row for each model, and the two gaps.

A model that was searched for shows its search's best trials, another its seeds: their mean, the best and the
worst on the test images.
"""

from itertools import product

from mimic.config.parameters import budget_parameters
from mimic.nets.families import STUDENTS
from mimic.report import published
from mimic.report.accuracies import Accuracies, Model
from mimic.report.claims import gaps_by_budget, twin_pairs
from mimic.report.numerals import bounds, percent, plain, plural, quantity
from mimic.report.results import Results
from mimic.report.student_families import architecture


def figure_1_rows(results: Results) -> list[dict]:
    """A row for each student and twin of the study's families that ran or that the paper has. Percent.

    Of the paper's budgets those that lie among the study's.
    """
    ran, arms = results.plotted.cells, ("labels", "logits")
    families = [family for family in STUDENTS if family in {model.family for model in ran}]
    budgets = {budget_parameters(budget): budget for budget in results.plotted.budgets(*arms)}
    theirs = {budget_parameters(budget): budget for budget in published.budgets()}
    between = {size: theirs[size] for size in theirs if min(budgets) < size < max(budgets)}
    sizes = dict(sorted((between | budgets).items()))
    models = [Model(*key) for key in product(families, sizes.values(), arms)]
    return [_row(results, m) for m in models if m in ran or published.accuracy(m) is not None]


def _row(results: Results, model: Model) -> dict:
    table, theirs = results.plotted, published.accuracy(model)
    title = f"{model.family} {model.budget}" + (", hard labels" if model.arm == "labels" else "")
    row = {
        **model._asdict(),
        "parameters": budget_parameters(model.budget),
        "published": _round(theirs),
        "diverged": table.diverged(model),
        "title": title,
        "paper": percent(theirs),
        "spoken_paper": f"{title}, published: {percent(theirs)}",
        "architecture": architecture(STUDENTS[model.family]),
    }
    if model not in table:
        return row
    interval, members, search = table.intervals[model], table.cells[model].seeds, results.averaged.get(model)
    nets = results.evaluated.loc[search.averaged] if search else results.seeds(model)
    of = f"best {members} of {plural(len(search.trials), 'trial')}" if search else plural(members, "seed")
    ours = f"{percent(interval.mean)} {bounds(interval)}, {of}"
    row |= {
        "parameters": round(nets.parameters.mean()),  # those of one budget differ by a few
        "accuracy": _round(interval.mean),
        "text": plain(interval.mean),
        "low": _round(interval.low),
        "high": _round(interval.high),
        "seeds": None if search else members,
        "trials": members if search else None,
        "ours": ours,
        "spoken": f"{title}: {ours}",
        "size": quantity(round(nets.parameters.mean())),
    }
    if members > 1:
        row |= {"best": _round(nets.accuracy.max()), "worst": _round(nets.accuracy.min())}
    return row


def _round(fraction: float | None) -> float | None:
    return None if fraction is None else round(100 * fraction, 3)


def gaps(table: Accuracies) -> list[dict]:
    """The convolutional gap at the smallest budget that shows it, and the widest compression gap; percent."""
    twins = sorted(twin_pairs(table, "labels"), key=lambda pair: table.mean(pair[1]) - table.mean(pair[0]))
    found = {"convolutional gap": list(gaps_by_budget(table).values()), "compression gap": twins}
    rows = []
    for name, (better, worse) in ((name, pairs[0]) for name, pairs in found.items() if pairs):
        high, low = (_round(table.mean(model)) for model in (better, worse))
        points = plain(table.mean(better) - table.mean(worse))
        row = {"name": name, "family": better.family, "budget": better.budget, "text": points}
        rows.append(row | {"low": low, "high": high, "middle": (low + high) / 2})
    return [row for row in rows if row["high"] > row["low"]]
