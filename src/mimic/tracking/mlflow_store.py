"""An MLflow store: found, opened safely, used by one process at a time, its errors in one line."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from mimic.support.errors import MimicError

DEFAULT_URI = "sqlite:///mlflow.db"
_SQLITE = "sqlite:///"


class StoreError(MimicError):
    """The store can not be used now. The files keep every record, and a later pass sends them."""

    exit_status = 1


class Refused(MimicError):
    """The store is well but does not take this run."""


def resolve(uri: str | None) -> str:
    """The store to use: `uri`, else MLFLOW_TRACKING_URI, else the SQLite file mlflow.db.

    Raises StoreError for a store in memory, which would not outlast the process, and for a folder.
    """
    uri = uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI
    if uri in ("sqlite://", _SQLITE, f"{_SQLITE}:memory:"):
        raise StoreError(f"MLFLOW_TRACKING_URI: {uri} names no file; write {DEFAULT_URI}")
    if uri.startswith("file:") or not ("://" in uri or uri.startswith("databricks")):
        raise StoreError(
            f"MLFLOW_TRACKING_URI: {uri} names a folder, to which MLflow writes no more; "
            f"write {DEFAULT_URI}, or a server's http://…"
        )
    return uri


def sqlite_file(uri: str) -> Path | None:
    """The file of an SQLite store; None for any other store."""
    return Path(uri.removeprefix(_SQLITE).split("?")[0]) if uri.startswith(_SQLITE) else None


def without_password(text: str) -> str:
    """The text, with addresses in it that hold a name or a password without these."""
    return re.sub(r"://[^/\s]*@", "://", text)


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
    with explained(uri):
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


@contextmanager
def explained(uri: str, refusal: type[MimicError] = StoreError) -> Iterator[None]:
    """Turn whatever MLflow raises into one line; `refusal` where the store calls the request itself bad."""
    try:
        yield
    except MimicError:
        raise
    except Exception as error:  # MLflow, SQLAlchemy, database drivers and the network have no common error
        bad_request = isinstance(error, MlflowException) and error.get_http_status_code() == 400
        kind = refusal if bad_request else StoreError
        line = f"MLflow at {uri} {'refused' if kind is Refused else 'can not be used'}: {_reason(error)}"
        raise kind(without_password(line)) from None


def _reason(error: BaseException) -> str:
    """What network or database said, which MLflow wraps many times; else the first line of MLflow's own."""
    chain = [error]
    while inner := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(inner)
    root = next((item for item in reversed(chain) if isinstance(item, OSError | sqlite3.Error)), error)
    text = getattr(root, "strerror", None) or str(root).strip() or type(root).__name__
    return text.splitlines()[0][:200]
