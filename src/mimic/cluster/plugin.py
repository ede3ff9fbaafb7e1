"""Mends what makes snakemake-executor-plugin-slurm 2.8.0 wait forever for a job that has ended.

It doesn't know the state of a job that was preempted for good, nor `CANCELLED by 1000`, as sacct puts it.
And while the controller is away it asks sacct, where there is one, even if the cluster has no accounting,
fails, and forgets its jobs. Only Snakemake's main process is touched.
"""

import snakemake_executor_plugin_slurm as plugin

from mimic.cluster import slurm
from mimic.cluster.slurm import SlurmError

NOT_UNDERSTOOD = {"PREEMPTED", "REVOKED"}


def mend() -> None:
    """Change what the plugin calls. To be called once, before it first asks after jobs."""
    query, is_available = plugin.query_job_status, plugin.is_query_tool_available

    async def query_in_known_words(*arguments: object) -> tuple[dict[str, str] | None, float | None]:
        states, seconds = await query(*arguments)
        return states and {job: known(state) for job, state in states.items()}, seconds

    def is_available_and_of_use(tool: str) -> bool:
        try:
            return is_available(tool) and (tool != "sacct" or slurm.has_accounting())
        except SlurmError:  # away: squeue fails too, and is asked again until it doesn't
            return False

    plugin.query_job_status = query_in_known_words
    plugin.is_query_tool_available = is_available_and_of_use


def known(state: str) -> str:
    """A state in words of the plugin's: one that ended without a result is CANCELLED, to be tried again."""
    word = state.split(" ")[0]
    return "CANCELLED" if word in NOT_UNDERSTOOD else word
