"""Mends what makes snakemake-executor-plugin-slurm 2.8.0 wait forever for a job that has ended.

It doesn't know the state of a job that was preempted for good, nor `CANCELLED by 1000`, as sacct puts it.
And while the controller is away it asks sacct, where there is one, even if the cluster has no accounting,
fails, and forgets its jobs. Only Snakemake's main process is touched.
"""

import snakemake_executor_plugin_slurm as plugin

from mimic.cluster import slurm
from mimic.cluster.slurm import SlurmError

UNDERSTOOD = {
    *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED"),
    *("NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT"),
}


def mend() -> None:
    """Change what the plugin calls. To be called once, before it first asks after jobs."""
    query, is_available = plugin.query_job_status, plugin.is_query_tool_available

    async def query_in_known_words(
        command: str, logger: object
    ) -> tuple[dict[str, str] | None, float | None]:
        states, seconds = await query(command, logger)
        return states and {job: known(state) for job, state in states.items()}, seconds

    def is_available_and_of_use(tool: str) -> bool:
        return is_available(tool) and (tool != "sacct" or _has_accounting())

    plugin.query_job_status = query_in_known_words
    plugin.is_query_tool_available = is_available_and_of_use


def known(state: str) -> str:
    """A state in words of the plugin's: one that ended without a result is CANCELLED, to be tried again."""
    word = state.split(" ")[0]
    return "CANCELLED" if word in slurm.ENDED - UNDERSTOOD else word


def _has_accounting() -> bool:
    try:
        return slurm.has_accounting()
    except SlurmError:  # away: squeue fails too, and is asked again until it doesn't
        return False
