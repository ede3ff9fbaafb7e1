"""Read what a study's jobs have published; only models of the parameters at hand count.

Raises MimicError naming the file that is missing or wrong.
"""

import json
from collections.abc import Iterable, Set
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from mimic.dag.steps import SIDECAR
from mimic.engine.sidecar import Sidecar, read_sidecar
from mimic.evaluation.metrics import confidence
from mimic.report.results import Predictions, Results, exemplars
from mimic.report.search_results import SearchResult
from mimic.support.context import Context
from mimic.support.errors import MimicError

MODELS = {
    "kind", "name", "family", "budget", "arm", "seed", "parameters", "multiply_adds", "status",
    "validation_accuracy", "accuracy", "nll", "ece", "agreement", "kl", "accuracy_augmented",
    "training_flops",
}  # fmt: skip
TRIALS = {
    "trial", "round", "index", "status", "stop", "validation_error", "epochs", "seconds", "training_flops",
}  # fmt: skip


def read_results(context: Context) -> Results:
    """The results upstream of the report. Raises MimicError when a file is missing or lacks a model."""
    teachers, students = context.upstream("teacher"), context.upstream("student")
    searches = [_search(folder, name) for name, folder in context.upstream("selection").items()]
    trials = [trial for search in searches if not search.is_baseline for trial in search.averaged]
    table = context.folder("comparison/comparison") / "models.csv"
    evaluated = _table(table, MODELS, {"budget", "arm", "name"}, "comparison").set_index("name", drop=False)
    names = [*teachers, "ensemble", *students, *trials]
    if absent := [name for name in names if name not in evaluated.index]:
        raise MimicError(f"{table}: has no row for {absent[0]}; run the comparison again")
    evaluated = evaluated.loc[names]
    labels_N, predictions = _predictions(context, evaluated.index[evaluated.status == "finished"])
    return Results(
        parameters=context.task.parameters,
        data=json.loads(_text(context.folder("data/data") / "data.json")),
        ensemble=json.loads(_text(context.folder("ensemble/ensemble") / "ensemble.json")),
        evaluated=evaluated,
        labels_N=labels_N,
        predictions=predictions,
        pictures={
            name: load_file(_there(context.folder(f"evaluation/{name}") / "pictures.safetensors"))
            for name in exemplars(evaluated).values()
        },
        histories=pd.DataFrame(
            json.loads(line) | {"name": name}
            for name, folder in (teachers | students).items()
            for line in _text(folder / "history.jsonl").splitlines()
        ),
        all_searches=searches,
        sidecars=[_sidecar(folder / SIDECAR) for folder in context.inputs.values()],
    )


def _there(path: Path) -> Path:
    if not path.is_file():
        raise MimicError(f"{path}: no such file; run snakemake to make it")
    return path


def _text(path: Path) -> str:
    return _there(path).read_text(encoding="utf-8")


def _table(path: Path, columns: Set[str], texts: Set[str], step: str) -> pd.DataFrame:
    """A CSV file that `step` has written; it must have `columns`, and `texts` are read as text."""
    table = pd.read_csv(_there(path), dtype=dict.fromkeys(texts, str))
    if lacking := sorted(columns - set(table.columns)):
        raise MimicError(f"{path}: has no column {lacking[0]}; run the {step} again")
    return table


def _search(folder: Path, name: str) -> SearchResult:
    selection = json.loads(_text(folder / "selection.json"))
    trials = _table(folder / "trials.csv", TRIALS | set(selection["space"]), {"trial", "stop"}, "selection")
    return SearchResult(
        name, selection, trials.sort_values(["round", "index"]).set_index("trial", drop=False)
    )


def _predictions(context: Context, names: Iterable[str]) -> tuple[np.ndarray, dict[str, Predictions]]:
    """The labels of the test images, and what each model says of them."""
    labels_N, found = np.empty(0), {}
    for folder in context.upstream("evaluation").values():
        tensors = load_file(_there(folder / "predictions.safetensors"))
        labels_N = tensors.pop("labels_N")
        found |= {
            name: Predictions(
                logits_NK.argmax(axis=1).astype(np.int16), confidence(logits_NK).astype(np.float32)
            )
            for name, logits_NK in tensors.items()
        }
    if absent := [name for name in names if name not in found]:
        raise MimicError(f"{absent[0]}: no evaluation holds its predictions; run the evaluation again")
    return labels_N, found


def _sidecar(path: Path) -> Sidecar:
    if (record := read_sidecar(path)) is None:
        raise MimicError(f"{path}: missing or damaged; run snakemake to make its job again")
    return record
