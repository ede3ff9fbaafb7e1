"""One process at a time may change the results in a folder."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from mimic.engine.state import STATE
from mimic.support.errors import MimicError

RUN_LOCK = STATE / "run.lock"


@contextmanager
def alone(command: str) -> Iterator[None]:
    """Hold the lock that a running snakemake holds. Raises MimicError, naming `command`, when one does."""
    STATE.mkdir(exist_ok=True)
    lock = FileLock(RUN_LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise MimicError(
            f"{RUN_LOCK}: a snakemake is at work in this folder; call `{command}` when it has ended"
        ) from None
    try:
        yield
    finally:
        lock.release()
