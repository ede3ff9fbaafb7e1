"""Two studies, or two commits of one, side by side: from the tables that their reports have published."""

import io
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import hypot
from pathlib import Path

import pandas as pd
from markupsafe import Markup

import mimic
from mimic.config.parameters import GROUPS, budget_parameters
from mimic.config.strict_yaml import parse_yaml
from mimic.dag.steps import SIDECAR
from mimic.evaluation.intervals import Interval
from mimic.nets.families import STUDENTS
from mimic.report.accuracies import Model
from mimic.report.charts import palette
from mimic.report.numerals import DASH
from mimic.report.page import TEMPLATES
from mimic.support.errors import MimicError

STEMS = {"table2.csv": {"accuracy": "logits"}, "table1.csv": {"twin": "labels"}}  # columns, and their arm
PLACES = ("study", "data.path", "data.download", "cohort")  # parameters that say nothing of the results

Read = Callable[[str], str | None]  # the text of a file of a report; None where there is none


@dataclass(frozen=True)
class Side:
    """What a report has published."""

    name: str
    file: str  # what a file about it can be called
    accuracies: dict[Model, Interval]
    statuses: dict[str, str]  # of claims
    titles: dict[str, str]
    parameters: dict[str, object]  # by their full key; empty where they are not known


def side(what: str, study: str) -> Side:
    """The report in a folder, that of a study in a folder, or that of `study` at a commit.

    Raises MimicError when there is none.
    """
    folder = Path(what)
    if folder.is_dir():
        report = folder / "report" if (folder / "report").is_dir() else folder
        own = (report.resolve().parent if report.name == "report" else report.resolve()).name
        return _side((own, own), partial(_file, report), str(report), SIDECAR)
    if (commit := _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{what}^{{commit}}")) is None:
        raise MimicError(
            f"{what}: neither a folder nor a commit; name a study's folder, such as results/laptop"
        )
    commit, place = commit.strip(), f"results/{study}/report"
    names = f"{study} at {commit[:12]}", commit[:12]
    return _side(names, partial(_at, commit, place), f"{what}:{place}", "../../../params.yaml")


def _file(report: Path, name: str) -> str | None:
    path = report / name
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _at(commit: str, place: str, name: str) -> str | None:
    path = "params.yaml" if name.startswith("..") else f"{place}/{name}"
    return _git("show", f"{commit}:./{path}")


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _side(names: tuple[str, str], read: Read, origin: str, parameters: str) -> Side:
    accuracies: dict[Model, Interval] = {}
    for file, stems in STEMS.items():
        if (text := read(file)) is None:
            raise MimicError(
                f"{origin}: has no {file}; run snakemake report.html there, or record its report in git"
            )
        table = pd.read_csv(io.StringIO(text), dtype={"family": str, "budget": str})
        for stem, arm in stems.items():
            accuracies |= dict(_accuracies(table, stem, arm))
    claims = json.loads(read("claims.json") or "[]")
    text = read(parameters) or "{}"
    found = (
        json.loads(text)["parameters"] if parameters == SIDECAR and text != "{}" else parse_yaml(text, origin)
    )
    return Side(
        *names,
        accuracies,
        {claim["key"]: claim["status"] for claim in claims},
        {claim["key"]: claim["claim"] for claim in claims},
        {key: value for key, value in _flat(found.get("parameters", found)) if not key.startswith(PLACES)},
    )


def _accuracies(table: pd.DataFrame, stem: str, arm: str) -> Iterator[tuple[Model, Interval]]:
    for row in table[table[stem].notna()].fillna({"budget": ""}).to_dict("records"):
        model = Model(row["family"], row["budget"], arm if row["budget"] else "")
        yield model, Interval(row[stem], row[f"{stem}_low"], row[f"{stem}_high"])


def _flat(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Every value of nested parameters, by its full key."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}" if key else str(name))
    else:
        yield key, value


@dataclass(frozen=True)
class Row:
    """One model on both sides; what a side lacks is None."""

    model: Model
    ours: Interval | None
    theirs: Interval | None

    @property
    def difference(self) -> Interval | None:
        """Ours less theirs, with the interval of two independent measurements.

        On the same test images the true one is narrower.
        """
        if not self.ours or not self.theirs:
            return None
        mean = self.ours.mean - self.theirs.mean
        low = mean - hypot(self.ours.mean - self.ours.low, self.theirs.high - self.theirs.mean)
        return Interval(
            mean, low, mean + hypot(self.ours.high - self.ours.mean, self.theirs.mean - self.theirs.low)
        )

    @property
    def differs(self) -> bool:
        """Whether that interval excludes zero."""
        found = self.difference
        return found is not None and not found.low <= 0 <= found.high


def rows(ours: Side, theirs: Side) -> list[Row]:
    """Every model that either side has: teachers first, then arms, families and budgets in their order."""
    families = ["ensemble", "teacher", *STUDENTS]

    def place(model: Model) -> tuple:
        family = families.index(model.family) if model.family in families else len(families)
        arms = ["", *GROUPS]
        return arms.index(model.arm), family, budget_parameters(model.budget) if model.budget else 0

    models = sorted({*ours.accuracies, *theirs.accuracies}, key=place)
    return [Row(model, ours.accuracies.get(model), theirs.accuracies.get(model)) for model in models]


def parameters(ours: Side, theirs: Side) -> list[tuple[str, str, str]]:
    """The parameters that differ: key, ours, theirs. Empty where those of a side are not known."""
    if not ours.parameters or not theirs.parameters:
        return []
    keys = dict.fromkeys([*ours.parameters, *theirs.parameters])
    found = [(key, *(str(side.parameters.get(key, DASH)) for side in (ours, theirs))) for key in keys]
    return [(key, a, b) for key, a, b in found if a != b]


def render_beside(ours: Side, theirs: Side) -> str:
    """Both as one page of HTML, without scripts."""
    found = rows(ours, theirs)
    shared = [row for row in found if row.difference]
    keys = dict.fromkeys([*ours.statuses, *theirs.statuses])
    numbers = [end for row in found for i in (row.ours, row.theirs) if i for end in (i.low, i.high)]
    return TEMPLATES.get_template("beside.html").render(
        version=mimic.__version__,
        colours=Markup(palette.style_sheet()),
        ours=ours,
        theirs=theirs,
        rows=found,
        shared=shared,
        differing=[row for row in shared if row.differs],
        claims=[(key, ours.titles.get(key) or theirs.titles[key]) for key in keys],
        changed=[key for key in keys if ours.statuses.get(key) != theirs.statuses.get(key)],
        parameters=parameters(ours, theirs),
        low=min(numbers, default=0.0),
        span=(max(numbers, default=1.0) - min(numbers, default=0.0)) or 1.0,
    )
