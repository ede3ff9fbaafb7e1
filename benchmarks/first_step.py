"""A job as the Snakefile runs it, until its first training step: prints the time then, and ends.

Usage, in the folder of a study whose specs are written: python -m benchmarks.first_step FOLDER
"""

import json
import os
import sys
import time

from mimic.__main__ import main


def end_after(step):
    """`step`, after which the process tells both clocks and is gone: so the job can be run again."""

    def told(*arguments) -> None:
        step(*arguments)
        print(json.dumps([time.time(), time.process_time()]), flush=True)
        os._exit(0)

    return told


if __name__ == "__main__":
    from mimic.training.trainer import Trainer

    Trainer.step = end_after(Trainer.step)
    sys.exit(main(["run", "--threads", "1", sys.argv[1]]))
