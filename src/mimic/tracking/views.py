"""How MLflow's page first shows the runs of a study: saved views, which are tags of an experiment.

MLflow lists them under *Views* and opens one by its address. Their form is that of MLflow's own *Save view*:
what a view doesn't say stays as MLflow has it.
"""

import json
from dataclasses import dataclass

_ID = "mimic"  # of a view, in addresses
_RUN = "attributes.`Run Name`"
_TAG = f"mlflow.sharedViewState.{_ID}"
_SAVED = 1_764_547_200_000  # ms; the same each time, so that the same view is the same tag


@dataclass(frozen=True)
class View:
    """One experiment of a study, and what its page shows first."""

    suffix: str  # after the name of the study; a dot, since no such name holds one
    title: str
    about: str
    groups: tuple[str, ...]  # tags by which runs are gathered
    columns: tuple[str, ...]
    lines: tuple[str, ...]  # metrics charted by epoch
    bars: tuple[str, ...]  # metrics charted a run
    first: str  # the metric that sorts runs, the largest first

    def experiment(self, study: str) -> str:
        """The name of the experiment."""
        return f"{study}{self.suffix}"

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the experiment that make MLflow show it so."""
        saved = {"name": self.title, "createdAt": _SAVED, "updatedAt": _SAVED, "state": self._state()}
        return {
            "mlflow.experimentKind": "custom_model_development",
            "mlflow.experiment.primaryMetric.name": self.first,
            "mlflow.note.content": self.about,
            _TAG: json.dumps(saved),
        }

    def _state(self) -> str:
        section, sections = f"{_ID}-accuracy", [(f"{_ID}-accuracy", "Accuracy in percent")]
        kinds = [*((name, "LINE") for name in self.lines), *((name, "BAR") for name in self.bars)]
        charts = [_chart(name, kind, section) for name, kind in kinds]
        by = [{"mode": "tag", "groupByData": tag} for tag in self.groups]
        state = {
            "searchFilter": "tags.`mimic.current` = 'yes'",
            "orderByKey": f"metrics.`{self.first}`",
            "orderByAsc": False,
            "startTime": "ALL",
            "lifecycleFilter": "Active",
            "datasetsFilter": [],
            "modelVersionFilter": "All Runs",
            "selectedColumns": list(self.columns),
            "columnOrder": [_RUN, *self.columns],
            "columnWidths": {_RUN: 520} | {column: _WIDTHS.get(column, 100) for column in self.columns},
            "runsHiddenMode": "SHOW_ALL",
            "compareRunCharts": charts,
            "compareRunSections": [
                {"uuid": uuid, "name": name, "display": True, "isReordered": True} for uuid, name in sections
            ],
            "isAccordionReordered": True,
            "groupBy": {"aggregateFunction": "average", "groupByKeys": by},
        }
        return json.dumps(state)


def _chart(metric: str, kind: str, section: str) -> dict:
    chart = {"uuid": f"{_ID}-{metric}", "type": kind, "metricSectionId": section, "metricKey": metric}
    chart |= {"runsCountToCompare": 100, "deleted": False, "isGenerated": False}
    if kind == "BAR":
        return chart | {"displayName": metric}
    axes = {"xAxisKey": "step", "selectedXAxisMetricKey": "", "yAxisKey": "metric", "yAxisExpressions": []}
    scales = {"xAxisScaleType": "linear", "scaleType": "linear", "range": {}, "lineSmoothness": 0}
    return chart | {"selectedMetricKeys": [metric]} | axes | scales


def _tag(name: str) -> str:
    return f"tags.`mimic.{name}`"


def _metric(name: str) -> str:
    return f"metrics.`{name}`"


MODELS = View(
    suffix="",
    title="Models by family, arm, budget",
    about="Teachers, ensemble and students of a study. *Views* holds a table by family, arm and budget. "
    "The run named as the study has the report. Accuracies are percent.",
    groups=("mimic.family", "mimic.arm", "mimic.budget"),
    columns=(
        *map(_metric, ("test_accuracy", "best_validation_accuracy")),
        *map(_tag, ("family", "arm", "budget", "seed", "net")),
        "attributes.`Dataset`",
    ),
    lines=("validation_accuracy",),
    bars=("test_accuracy",),
    first="test_accuracy",
)
TRIALS = View(
    suffix=".search",
    title="Trials by search",
    about="The trials of the searches of a study. *Views* holds a table by search. The parameters of a trial "
    "are those that were searched. Accuracies are percent.",
    groups=("mimic.search",),
    columns=(
        *map(_metric, ("best_validation_accuracy", "test_accuracy")),
        *map(_tag, ("round", "origin", "stop", "net")),
    ),
    lines=("validation_accuracy",),
    bars=("best_validation_accuracy",),
    first="best_validation_accuracy",
)
VIEWS = (MODELS, TRIALS)
_WIDTHS = {
    _metric("test_accuracy"): 160,  # a group's is followed by "(average)"
    _metric("best_validation_accuracy"): 180,
    _tag("net"): 240,
}  # of columns, in pixels; groups of runs are named by all their tags


def is_ours(tags: dict[str, str]) -> bool:
    """Whether an experiment with these tags has a view of ours."""
    return _TAG in tags


def address(server: str, experiment: str) -> str:
    """Where the page of the server shows the view of the experiment with this id."""
    page = f"{server.rstrip('/')}/#/experiments/{experiment}/runs"
    return f"{page}?viewStateShareKey={_ID}&workflowType=machine_learning"
