"""MLflow, fed from files: training never meets it, and nothing is lost while it is away."""

import os

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

from mimic.tracking.follower import follow  # noqa: E402
from mimic.tracking.mirror import Summary, track  # noqa: E402
from mimic.tracking.mlflow_store import StoreError  # noqa: E402

__all__ = ["StoreError", "Summary", "follow", "track"]
