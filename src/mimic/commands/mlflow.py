"""`mimic mlflow`: the MLflow UI on localhost."""

import os

from mimic import tracking


def run(options) -> None:
    """Serve the UI until interrupted."""
    tracking.serve(os.environ.get("MLFLOW_TRACKING_URI"), port=options.port)
