"""MLflow, fed from files: training never meets it, and nothing is lost while it is away."""

from mimic.tracking.follower import follow
from mimic.tracking.mirror import Summary, track
from mimic.tracking.mlflow_store import StoreError

__all__ = ["StoreError", "Summary", "follow", "track"]
