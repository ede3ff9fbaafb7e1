"""MLflow's own web page on the local store."""

import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from mimic.support.errors import MimicError
from mimic.tracking.mlflow_store import connect, locked, resolve, sqlite_file

HINT = """http://{host}:{port}: choose a study, then Training runs.
To compare the trials of a search, filter by
  tags."mimic.search" = 'conv2-1M-logits' and tags."mimic.current" = 'yes' and status = 'FINISHED'
select all and press Compare: the parameters are those that were searched; choose validation_accuracy."""


def serve(uri: str | None = None, host: str = "127.0.0.1", port: int = 5000) -> NoReturn:
    """Become the MLflow server of an SQLite store, on this machine alone unless `host` says otherwise.

    Raises MimicError when the store is not SQLite, can not be opened, or the port is taken.
    """
    uri = resolve(uri)
    database = sqlite_file(uri)
    if database is None:
        raise MimicError("MLFLOW_TRACKING_URI names a server, which shows its runs itself: open its address")
    _check_port(host, port)
    with locked(uri, Path(f"{database}.lock"), print):
        connect(uri)
    print(HINT.format(host=host, port=port), flush=True)
    # By itself it starts eight more processes, for nothing that is used here.
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    options = [f"--backend-store-uri={uri}", f"--host={host}", f"--port={port}", "--workers=1"]
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "server", "--no-serve-artifacts", *options])


def _check_port(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server itself does
            attempt.bind(address)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MimicError(f"port {port} of {host} can not be used: {reason}; choose another") from None
