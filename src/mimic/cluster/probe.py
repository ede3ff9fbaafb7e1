"""What a compute node finds, told through the shared folder: python -m mimic.cluster.probe QUESTION ANSWER.

Run by `mimic slurm-check` as a job, with the Python of the login node.
"""

import socket
import sys
from pathlib import Path

from mimic.support import publish


def main(question: Path, answer: Path) -> None:
    """Write what this node reads in `question`, and what torch finds here, to `answer`."""
    found = {"question": question.read_text(encoding="utf-8"), "host": socket.gethostname()}
    publish.write_json(answer, found)  # also where torch can't be imported
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    publish.write_json(answer, found | {"torch": torch.__version__, "gpu": gpu})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
