"""`mimic mlflow`: MLflow's own web page on the local store."""

import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from mimic.support.errors import MimicError
from mimic.tracking.mlflow_store import connect, locked, resolve, sqlite_file

HOST = "127.0.0.1"
HINT = """http://{host}:{port}: choose a study, then Training runs.
To compare the trials of a search, filter by
  tags."mimic.search" = 'conv2-1M-logits' and tags."mimic.current" = 'yes' and status = 'FINISHED'
select all and press Compare: the parameters are those that were searched; choose validation_accuracy."""


def run(options) -> NoReturn:
    """Serve until interrupted."""
    serve(None, options.port)


def serve(uri: str | None, port: int) -> NoReturn:
    """Become the MLflow server of an SQLite store, for this machine alone.

    Raises MimicError when the store is not SQLite, can not be opened, or the port is taken.
    """
    uri = resolve(uri)
    database = sqlite_file(uri)
    if database is None:
        raise MimicError("MLFLOW_TRACKING_URI names a server, which shows its runs itself: open its address")
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        reason = os.strerror(error.errno)
        raise MimicError(f"port {port} of {HOST} can not be used: {reason}; choose another") from None
    with locked(uri, Path(f"{database}.lock"), print):
        connect(uri)
    print(HINT.format(host=HOST, port=port), flush=True)
    # By itself it starts eight more processes, for nothing that is used here.
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    options = [f"--backend-store-uri={uri}", f"--host={HOST}", f"--port={port}", "--workers=1"]
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "server", "--no-serve-artifacts", *options])
