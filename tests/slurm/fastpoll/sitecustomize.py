"""Ask SLURM every second. The plugin waits 11 s, 21 s, … and no option of its shortens that.

Python reads this module at its start because tests put this folder first in PYTHONPATH.
"""

import asyncio
import sys

if "snakemake" in " ".join(sys.orig_argv[:3]) and "--mode" not in sys.orig_argv:
    from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

    async def sleep(executor: RemoteExecutor) -> None:
        await asyncio.sleep(1)

    RemoteExecutor.sleep = sleep
