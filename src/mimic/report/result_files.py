"""Read the files that jobs have published. Raises MimicError naming the one that is missing or wrong."""

import json
from collections.abc import Set
from pathlib import Path

import pandas as pd

from mimic.support.errors import MimicError


def check_there(path: Path) -> Path:
    """`path`, if a file is there."""
    if not path.is_file():
        raise MimicError(f"{path}: no such file; run snakemake to make it")
    return path


def read_json(path: Path) -> dict:
    return json.loads(check_there(path).read_text(encoding="utf-8"))


def read_history(path: Path) -> pd.DataFrame:
    """history.jsonl, an epoch a row."""
    lines = check_there(path).read_text(encoding="utf-8").splitlines()
    return pd.DataFrame([json.loads(line) for line in lines])


def read_table(path: Path, columns: Set[str], texts: Set[str], step: str) -> pd.DataFrame:
    """A CSV file that `step` has written; it must have `columns`, and `texts` are read as text."""
    table = pd.read_csv(check_there(path), dtype=dict.fromkeys(texts, str))
    if lacking := sorted(columns - set(table.columns)):
        raise MimicError(f"{path}: has no column {lacking[0]}; run the {step} again")
    return table
