"""Where mimic keeps what is neither input nor result. All of it can be deleted: it costs time, no results."""

from pathlib import Path

STATE = Path(".mimic")
LOG_ALONE = "MIMIC_LOG_ALONE"  # in the environment of jobs of whose progress somebody else tells
