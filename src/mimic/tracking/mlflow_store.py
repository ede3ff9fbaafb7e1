"""One study's experiment in an MLflow store: opened safely, asked once, written in batches.

The only module that knows MLflow.
"""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from filelock import FileLock, Timeout

from mimic.support.errors import MimicError

# A server that is away must be noticed in seconds (by itself MLflow waits four minutes), and nothing may
# be sent anywhere but to the store. MLflow reads some of these when it is imported.
for _name, _value in {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}.items():
    os.environ.setdefault(_name, _value)

from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import Metric, Param, RunTag  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402

DEFAULT_URI = "sqlite:///mlflow.db"
_SQLITE = "sqlite:///"
_RUNS_A_PAGE = 5000
_PARAMETERS_A_CALL, _METRICS_A_CALL = 100, 800  # log_batch takes 100, and 1000 of all sorts together


class StoreError(MimicError):
    """The store can not be used now. The files keep every record, and a later pass sends them."""

    exit_status = 1


class Refused(MimicError):
    """The store is well but does not take this run."""


@dataclass
class Held:
    """A run as the store holds it, kept up to date with what is sent."""

    id: str
    status: str  # "RUNNING", "FINISHED", "FAILED" or "KILLED"
    tags: dict[str, str]
    parameters: dict[str, str]
    metrics: dict[str, float]  # the latest value of each

    @property
    def key(self) -> str:
        return self.tags["mimic.key"]

    @property
    def last_epoch(self) -> int:
        """Epochs are sent in order and whole, each with its number: so none before this one is missing."""
        return int(self.metrics.get("epoch", 0))


def resolve(uri: str | None) -> str:
    """The store to use: `uri`, else MLFLOW_TRACKING_URI, else the SQLite file mlflow.db.

    Raises StoreError for a store in memory, which would not outlast the process.
    """
    uri = uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI
    if uri in ("sqlite://", _SQLITE, f"{_SQLITE}:memory:"):
        raise StoreError(f"MLFLOW_TRACKING_URI: {uri} names no file; write {DEFAULT_URI}")
    return uri


def sqlite_file(uri: str) -> Path | None:
    """The file of an SQLite store; None for any other store."""
    return Path(uri.removeprefix(_SQLITE).split("?")[0]) if uri.startswith(_SQLITE) else None


@contextmanager
def locked(
    uri: str, fallback: Path, progress: Callable[[str], None], give_up: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Exclusive use of a store: by a lock beside an SQLite file; for a server, by the lock `fallback`.

    So a server is guarded against simultaneous passes from one clone only; a run that passes from two
    clones double is mended by the next pass. Raises StoreError when `give_up` turns true before the lock
    is free.
    """
    database = sqlite_file(uri)
    path = database.with_name(f"{database.name}.lock") if database else fallback
    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            progress("another pass is under way; waiting for its end")
            lock.acquire(cancel_check=give_up)
    except Timeout:
        raise StoreError(f"{path}: still held by another pass; the next pass sends what is new") from None
    except OSError as error:
        raise StoreError(f"{path}: can not be locked: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()


def connect(uri: str) -> MlflowClient:
    """A client of the store, whose tables are created or brought up to date. Raises StoreError.

    To be called under the lock: two processes that create an SQLite store at once leave it unusable.
    """
    with _explained(uri):
        try:
            client = MlflowClient(uri)
            client.search_experiments(max_results=1)
        except MlflowException as error:
            if sqlite_file(uri) is None or "out-of-date database schema" not in str(error):
                raise
            _upgrade(uri)
            client = MlflowClient(uri)
        return client


def _upgrade(uri: str) -> None:
    command = [sys.executable, "-m", "mlflow", "db", "upgrade", uri]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
        raise StoreError(f"{uri}: made by another version of MLflow, can not be brought up to date: {reason}")


class Experiment:
    """The runs of one study. Every method raises StoreError; `create` and `add` also Refused."""

    def __init__(self, uri: str, name: str):
        self._uri = uri
        self._client = connect(uri)
        with _explained(uri):
            known = self._client.get_experiment_by_name(name)
            if known and known.lifecycle_stage != "active":
                raise StoreError(
                    f"the MLflow experiment {name} was deleted: restore it with "
                    f"`mlflow experiments restore --experiment-id {known.experiment_id}`"
                )
            self._id = known.experiment_id if known else self._client.create_experiment(name)

    def runs(self, key: str | None = None) -> list[Held]:
        """The runs that carry this key, or any."""
        wanted = f"tags.\"mimic.key\" = '{key}'" if key else ""
        runs, token = [], None
        with _explained(self._uri):
            while token != "":
                page = self._client.search_runs(
                    [self._id], wanted, max_results=_RUNS_A_PAGE, page_token=token
                )
                runs += [_held(run) for run in page if "mimic.key" in run.data.tags]
                token = page.token or ""
        return runs

    def create(self, name: str, started_ms: int, tags: dict[str, str]) -> Held:
        """A new run, which bears its tags, and so its key, from its first moment on."""
        with _explained(self._uri, refusal=Refused):
            return _held(self._client.create_run(self._id, started_ms, tags, name))

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
        with _explained(self._uri, refusal=Refused):
            for some_tags, some_params, points in batches:
                self._client.log_batch(run.id, points, some_params, some_tags, synchronous=True)
        run.tags |= tags
        run.metrics |= {point.key: point.value for group in groups for point in group}

    def set_status(self, run: Held, status: str, ended_ms: int | None = None) -> None:
        """Mark a run as under way again, or as over, now or at the time given."""
        with _explained(self._uri):
            if status == "RUNNING":
                self._client.update_run(run.id, status)
            else:
                self._client.set_terminated(run.id, status, ended_ms)
        run.status = status

    def delete(self, run: Held) -> None:
        """Put a run into MLflow's bin."""
        with _explained(self._uri):
            self._client.delete_run(run.id)


def _held(run) -> Held:
    return Held(run.info.run_id, run.info.status, run.data.tags, run.data.params, run.data.metrics)


def _packed(groups: Sequence[Sequence], size: int) -> list[list]:
    """The groups, in their order, in as few batches of at most `size` items as can be, none divided."""
    batches: list[list] = []
    for group in filter(None, groups):
        if not batches or len(batches[-1]) + len(group) > size:
            batches.append([])
        batches[-1] += group
    return batches


@contextmanager
def _explained(uri: str, refusal: type[MimicError] = StoreError) -> Iterator[None]:
    """Turn whatever MLflow raises into one line; `refusal` where the store calls the request itself bad."""
    try:
        yield
    except MimicError:
        raise
    except Exception as error:  # MLflow, SQLAlchemy, database drivers and the network have no common error
        bad_request = isinstance(error, MlflowException) and error.get_http_status_code() == 400
        kind = refusal if bad_request else StoreError
        line = f"MLflow at {uri} {'refused' if kind is Refused else 'can not be used'}: {_reason(error)}"
        raise kind(re.sub(r"://[^/\s]*@", "://", line)) from None  # an address may hold a password


def _reason(error: BaseException) -> str:
    """What network or database said, which MLflow wraps many times; else the first line of MLflow's own."""
    chain = [error]
    while inner := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(inner)
    root = next((item for item in reversed(chain) if isinstance(item, OSError | sqlite3.Error)), error)
    text = getattr(root, "strerror", None) or str(root).strip() or type(root).__name__
    return text.splitlines()[0][:200]
