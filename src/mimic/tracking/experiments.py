"""One study's experiments in an MLflow store: asked once, written in batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelOutput, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException

from mimic.tracking import views
from mimic.tracking.mlflow_store import Refused, StoreError, connect, explained, sqlite_file
from mimic.tracking.runs import ImageSplit

_RUNS_A_PAGE = 5000
_PARAMETERS_A_CALL, _METRICS_A_CALL = 100, 800  # log_batch takes 100, and 1000 of all sorts together


@dataclass
class Held:
    """A run as the store holds it, kept up to date with what is sent."""

    id: str
    status: str  # "RUNNING", "FINISHED", "FAILED" or "KILLED"
    began_ms: int
    tags: dict[str, str]
    parameters: dict[str, str]
    metrics: dict[str, float]  # the latest value of each
    last_epoch: int = 0  # epochs are sent in order and whole: so none before this one is missing
    model: str | None = None  # MLflow's name of the model that the run left

    @property
    def key(self) -> str:
        return self.tags["mimic.key"]


class Experiments:
    """The runs of one study: teachers, students and ensemble in one experiment, trials in one beside it.

    Every method raises StoreError; those that send something to a run also Refused.
    """

    def __init__(self, uri: str, study: str):
        self._uri, self._client, self._study = uri, connect(uri), study
        self._ids = {view: id_ for view in views.VIEWS if (id_ := self._find(view))}

    def runs(self, key: str | None = None) -> list[Held]:
        """The runs that carry this key, or any."""
        wanted = f"tags.\"mimic.key\" = '{key}'" if key else ""
        runs, token = [], None
        with explained(self._uri):
            while self._ids and token != "":
                page = self._client.search_runs(
                    list(self._ids.values()), wanted, max_results=_RUNS_A_PAGE, page_token=token
                )
                runs += [_held(run) for run in page if "mimic.key" in run.data.tags]
                token = page.token or ""
        return runs

    def create(self, name: str, started_ms: int, tags: dict[str, str]) -> None:
        """Create a run, which bears its tags, and so its key, from its first moment on."""
        home = self._experiment(views.TRIALS if tags["mimic.step"] == "trial" else views.MODELS)
        with explained(self._uri, refusal=Refused):
            self._client.create_run(home, started_ms, tags, name)

    def add(
        self,
        run: Held,
        tags: dict[str, str],
        parameters: dict[str, str] | None = None,
        groups: Sequence[Sequence[Metric]] = (),
    ) -> None:
        """Send what is new. The points of a group arrive together or not at all."""
        batches = zip_longest(
            _packed([[RunTag(*tag)] for tag in tags.items()], _PARAMETERS_A_CALL),
            _packed([[Param(*item)] for item in (parameters or {}).items()], _PARAMETERS_A_CALL),
            _packed(groups, _METRICS_A_CALL),
            fillvalue=(),
        )
        with explained(self._uri, refusal=Refused):
            for some_tags, some_params, points in batches:
                self._client.log_batch(run.id, points, some_params, some_tags, synchronous=True)
        run.tags |= tags
        run.metrics |= {point.key: point.value for group in groups for point in group}
        run.last_epoch = max([run.last_epoch, *(point.step for group in groups for point in group)])

    def add_images(self, run: Held, splits: list[ImageSplit]) -> None:
        """Name the images that the run has read. Said again, it changes nothing."""
        inputs = [
            DatasetInput(
                Dataset(split.label, split.md5, "local", split.source, profile=split.counts),
                [InputTag("mlflow.data.context", split.split)],
            )
            for split in splits
        ]
        with explained(self._uri, refusal=Refused):
            if inputs:
                self._client.log_inputs(run.id, inputs)

    def add_model(self, run: Held, name: str, kind: str, tags: dict[str, str]) -> None:
        """Name the model that the run has left in files; one for each run, also if a pass died on the way."""
        if run.model:
            return
        with explained(self._uri, refusal=Refused):
            home = self._client.get_run(run.id).info.experiment_id
            mine = f"source_run_id = '{run.id}'"
            found = self._client.search_logged_models([home], mine)
            if not found:
                tags = tags | {"mlflow.model.isExternal": "true"}
                self._client.create_logged_model(home, name, run.id, tags, model_type=kind)
                found = self._client.search_logged_models([home], mine)
            model, *doubles = sorted(found, key=lambda model: model.model_id)
            for double in doubles:  # of a request that was sent twice
                self._client.delete_logged_model(double.model_id)
            self._client.finalize_logged_model(model.model_id, "READY")
            try:
                self._client.log_outputs(run.id, [LoggedModelOutput(model.model_id, step=run.last_epoch)])
            except MlflowException:  # as it is refused where it was said before
                if not self._client.get_run(run.id).outputs.model_outputs:
                    raise
        run.model = model.model_id

    def upload(self, run: Held, files: list[Path]) -> None:
        """Copy files into the store's own room for the run; of one name, the last stays."""
        with explained(self._uri):
            for path in files:
                self._client.log_artifact(run.id, str(path))

    def set_status(self, run: Held, status: str, ended_ms: int | None = None) -> None:
        """Mark a run as under way again, or as over, now or at the time given: not before it began."""
        with explained(self._uri):
            if status == "RUNNING":
                self._client.update_run(run.id, status)
            else:
                self._client.set_terminated(run.id, status, ended_ms and max(ended_ms, run.began_ms))
        run.status = status

    def delete(self, run: Held) -> None:
        """Put a run into MLflow's bin."""
        with explained(self._uri):
            self._client.delete_run(run.id)

    def _find(self, view: views.View) -> str | None:
        name = view.experiment(self._study)
        with explained(self._uri):
            known = self._client.get_experiment_by_name(name)
            if known and known.lifecycle_stage != "active":
                raise StoreError(
                    f"the MLflow experiment {name} was deleted: restore it with "
                    f"`mlflow experiments restore --experiment-id {known.experiment_id}`"
                )
            missing = view.tags.items() if known else ()
            for tag in ((name, text) for name, text in missing if name not in known.tags):
                self._client.set_experiment_tag(known.experiment_id, *tag)
        return known.experiment_id if known else None

    def _experiment(self, view: views.View) -> str:
        """The experiment of a view, which is created when its first run is."""
        if view not in self._ids:
            with explained(self._uri):
                name, database = view.experiment(self._study), sqlite_file(self._uri)
                # A server has room for artefacts of its own; those of a file lie beside it.
                room = (database.absolute().parent / "mlruns" / name).as_uri() if database else None
                try:
                    self._client.create_experiment(name, room, view.tags)
                except MlflowException as error:  # by another clone just now, or by this request sent twice
                    if error.error_code != "RESOURCE_ALREADY_EXISTS":
                        raise
                self._ids[view] = self._find(view)
        return self._ids[view]


def addresses(uri: str, server: str) -> dict[str, str]:
    """Where `server` shows each experiment of the store that mimic has made, by name. Raises StoreError."""
    client = connect(uri)
    with explained(uri):
        found = client.search_experiments(order_by=["name"], max_results=1000)
        return {e.name: views.address(server, e.experiment_id) for e in found if views.is_ours(e.tags)}


def _held(run: Run) -> Held:
    told, info, models = run.data, run.info, run.outputs.model_outputs if run.outputs else []
    last_epoch = max((metric.step for metric in told.to_proto().metrics), default=0)
    model = models[0].model_id if models else None
    return Held(
        info.run_id, info.status, info.start_time, told.tags, told.params, told.metrics, last_epoch, model
    )


def _packed(groups: Sequence[Sequence], size: int) -> list[list]:
    """The groups, in their order, in as few batches of at most `size` items as can be, none divided."""
    batches: list[list] = []
    for group in filter(None, groups):
        if not batches or len(batches[-1]) + len(group) > size:
            batches.append([])
        batches[-1] += group
    return batches
