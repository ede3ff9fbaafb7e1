"""`mimic mlflow`: MLflow's own web page on the local store."""

import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from mimic.support.errors import MimicError
from mimic.tracking.experiments import addresses
from mimic.tracking.mlflow_store import connect, locked, resolve, sqlite_file, without_password

HOST = "127.0.0.1"
HINT = "Runs, grouped and sorted, of each experiment; the second button shows their curves:"


def run(options) -> int:
    """Serve until interrupted; of a server that is there already, print where it shows the studies."""
    uri = resolve(None)
    if sqlite_file(uri) is None:
        say_where(uri, uri)
        return 0
    serve(uri, options.port)


def say_where(uri: str, server: str) -> None:
    """Print the addresses at which the server shows each study. Raises StoreError."""
    found = [f"  {name}: {address}" for name, address in addresses(uri, without_password(server)).items()]
    print("\n".join([HINT, *(found or [f"  no study yet: {server}"])]), flush=True)


def serve(uri: str, port: int) -> NoReturn:
    """Become the MLflow server of an SQLite store, for this machine alone.

    Raises MimicError when the store can not be opened or the port is taken.
    """
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        reason = os.strerror(error.errno)
        raise MimicError(f"port {port} of {HOST} can not be used: {reason}; choose another") from None
    with locked(uri, Path("unused"), print):
        connect(uri)
    say_where(uri, f"http://{HOST}:{port}")
    # By itself it starts eight more processes, for nothing that is used here.
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    options = [f"--backend-store-uri={uri}", f"--host={HOST}", f"--port={port}", "--workers=1"]
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "server", "--no-serve-artifacts", *options])
