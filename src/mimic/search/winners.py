"""The selection among all trials of a search, as files."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
from safetensors.torch import load_file, save_file

from mimic.core.publish import write_json
from mimic.core.tasks import SelectionTask
from mimic.search.files import default_of, dimensions_of, read_proposal
from mimic.search.select import Trial, selection, table
from mimic.training.models import read_record


def select_trials(
    task: SelectionTask,
    search: str,
    proposals: Mapping[str, Path],
    trials: Mapping[str, Path],
    out: Path,
    progress: Callable[[str], None],
) -> None:
    """Write selection.json, trials.csv, and the weights of the best trials in best.safetensors."""
    tried = [_trial(name, folder, proposals) for name, folder in trials.items()]
    content = selection(search, task.algorithm, tried, dimensions_of(task), default_of(task), task.averaged)
    write_json(out / "selection.json", content)
    pd.DataFrame(table(tried, 1 - 1 / task.classes)).to_csv(out / "trials.csv", index=False)
    weights = {
        f"{name}/{tensor}": value
        for name in content["averaged"]
        for tensor, value in load_file(trials[name] / "model.safetensors").items()
    }
    save_file(weights, out / "best.safetensors")
    accuracy = 100 * content["records"][content["best"]]["validation_accuracy"]
    progress(f"{content['best']} is the best of {len(tried)}: validation accuracy {accuracy:.2f} %")


def _trial(name: str, folder: Path, proposals: Mapping[str, Path]) -> Trial:
    """Trial `…-r02-t03` is the third point of proposal `…-r02`."""
    proposed, _, index = name.rpartition("-t")
    proposal = read_proposal(proposals[proposed])
    at = int(index) - 1
    origin, point = proposal["origins"][at], proposal["points"][at]
    return Trial(name, proposal["round"], int(index), origin, point, read_record(folder))
