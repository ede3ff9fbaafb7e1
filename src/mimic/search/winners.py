"""The selection among all trials of a search, as files."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mimic.search.files import default_of, dimensions_of, read_proposal
from mimic.search.select import Trial, selection, table
from mimic.support import messages
from mimic.support.context import Context
from mimic.support.publish import write_json
from mimic.training.models import read_record, write_bundle


def select_trials(context: Context) -> None:
    """Write selection.json, trials.csv, and the weights of the best trials in best.safetensors."""
    task, trials = context.task, context.upstream("trial")
    tried = [_trial(name, folder, context.upstream("proposal")) for name, folder in trials.items()]
    content = selection(
        context.name, task.algorithm, tried, dimensions_of(task), default_of(task), task.averaged
    )
    write_json(context.out / "selection.json", content)
    pd.DataFrame(table(tried, 1 - 1 / task.goal.classes)).to_csv(context.out / "trials.csv", index=False)
    write_bundle(context.out / "best.safetensors", {name: trials[name] for name in content["averaged"]})
    best = content["records"][content["best"]]
    context.progress(messages.selected(content["best"], len(tried), best["validation_accuracy"]))


def _trial(name: str, folder: Path, proposals: Mapping[str, Path]) -> Trial:
    """Trial `…-r02-t03` is the third point of proposal `…-r02`."""
    proposed, _, index = name.rpartition("-t")
    proposal = read_proposal(proposals[proposed])
    at = int(index) - 1
    origin, point = proposal["origins"][at], proposal["points"][at]
    return Trial(name, proposal["round"], int(index), origin, point, read_record(folder))
