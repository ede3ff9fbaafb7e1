"""Where mimic keeps what is neither input nor result. All of it can be deleted: it costs time, no results."""

from pathlib import Path

STATE = Path(".mimic")
