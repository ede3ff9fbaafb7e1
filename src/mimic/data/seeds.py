"""Counter-based randomness: every draw is a function of what it is for, never of what came before.

A stream is keyed by (study seed, purpose, …, epoch); inside it, row i belongs to image i. So an
image meets the same augmentation in the same epoch whatever the batch size, the resume point, the
number of workers or the order of jobs.
"""

import hashlib

import numpy as np


def stream_key(seed: int, *purpose: str | int) -> int:
    """A 128-bit key for the stream of `purpose` (words and counters, such as an epoch)."""
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "little")


def stream(seed: int, *purpose: str | int) -> np.random.Generator:
    """The generator of one stream (Philox 4x64, Salmon et al. 2011): same key, same draws."""
    return np.random.Generator(np.random.Philox(key=stream_key(seed, *purpose)))


def uniform_rows(rows: int, columns: int, seed: int, *purpose: str | int) -> np.ndarray:
    """A [rows, columns] float64 table of uniform draws in [0, 1); row i depends on i alone.

    Each draw consumes one 64-bit word of the counter, so a table of fewer rows is the beginning of
    a table of more.
    """
    return stream(seed, *purpose).random((rows, columns))


def torch_seed(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed for `torch.manual_seed`, for what torch itself draws (dropout, initial weights)."""
    return stream_key(seed, *purpose) & (2**63 - 1)
