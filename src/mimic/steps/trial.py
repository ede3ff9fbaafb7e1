"""Step trial: points of a proposal, trained like any teacher or student."""

from collections.abc import Iterator, Sequence

from mimic.core.runner import Context
from mimic.core.specs import load_task
from mimic.core.tasks import TrialTask
from mimic.search.trials import settled_task, train_trials


def run_together(contexts: Sequence[Context]) -> Iterator[Context]:
    """Write the files of models, weights, validation logits, history, record; yields each when it is done."""
    return train_trials([load_task(context.spec, TrialTask) for context in contexts], contexts)


def settle(context: Context) -> dict:
    """The whole task of a trial, its point and limits in place."""
    return settled_task(load_task(context.spec, TrialTask), context)
