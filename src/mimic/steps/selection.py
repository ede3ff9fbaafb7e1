"""Step selection: the trials of a search, ranked on validation images."""

from mimic.core.runner import Context
from mimic.core.specs import load_task
from mimic.core.tasks import SelectionTask
from mimic.search.winners import select_trials


def run(context: Context) -> None:
    """Write selection.json, trials.csv and best.safetensors."""
    task, proposals = load_task(context.spec, SelectionTask), context.upstream("proposal")
    select_trials(
        task, context.spec.name, proposals, context.upstream("trial"), context.out, context.progress
    )
