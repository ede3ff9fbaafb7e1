"""All models in one table: their measures, and how far each follows the ensemble."""

import json

import pandas as pd
from safetensors.numpy import load_file

from mimic.evaluation import metrics
from mimic.support.context import Context


def compare(context: Context) -> None:
    """Write models.csv, one row a model."""
    rows, predictions = [], {}
    for folder in context.upstream("evaluation").values():
        rows += json.loads((folder / "measures.json").read_text(encoding="utf-8"))
        predictions |= load_file(folder / "predictions.safetensors")
    reference_NK = predictions["ensemble"]
    for row in rows:
        if (logits_NK := predictions.get(row["name"])) is not None:
            row["agreement"] = metrics.agreement(logits_NK, reference_NK)
            row["kl"] = metrics.kl(logits_NK, reference_NK)
    pd.DataFrame(rows).to_csv(context.out / "models.csv", index=False)
