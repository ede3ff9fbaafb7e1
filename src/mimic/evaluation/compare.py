"""All models in one table."""

import json

import pandas as pd

from mimic.support.context import Context


def compare(context: Context) -> None:
    """Write models.csv, one row a model with its measures."""
    rows = []
    for folder in context.upstream("evaluation").values():
        rows += json.loads((folder / "measures.json").read_text(encoding="utf-8"))
    pd.DataFrame(rows).to_csv(context.out / "models.csv", index=False)
