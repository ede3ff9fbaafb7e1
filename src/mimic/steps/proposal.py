"""Step proposal: from the trials of the earlier rounds to the points of the next one."""

from mimic.core.runner import Context
from mimic.core.specs import load_task
from mimic.core.tasks import ProposalTask
from mimic.search.rounds import propose_round


def run(context: Context) -> None:
    """Write proposal.json."""
    task, search = load_task(context.spec, ProposalTask), context.spec.name.rpartition("-")[0]
    propose_round(task, search, context.upstream("trial"), context.out / "proposal.json", context.progress)
