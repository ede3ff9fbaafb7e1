"""All models in one table: their measures, and how far each follows the ensemble."""

import json

import numpy as np
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
        if row["name"] in predictions:
            row |= _likeness(predictions[row["name"]], reference_NK)
    pd.DataFrame(rows).to_csv(context.out / "models.csv", index=False)


def _likeness(logits_NK: np.ndarray, reference_NK: np.ndarray) -> dict[str, float]:
    return {
        "agreement": metrics.agreement(logits_NK, reference_NK),
        "kl": metrics.kl(logits_NK, reference_NK),
    }
