"""A polite end: a signal raises a flag, the loop saves its state and leaves."""

import signal
from types import FrameType

from mimic.support import messages


class Interrupted(Exception):
    """Training was asked to end and has saved its state; run it again to go on."""

    def __init__(self, signum: int, where: str) -> None:
        self.signum = signum  # by custom a process then exits with 128 + signum
        super().__init__(messages.interrupted(signum, where))


class StopFlag:
    """Whether, and by which signal, training was asked to end. As a context it listens to SIGTERM and SIGINT.

    The second SIGINT acts as if nobody listened, so that a person can insist. SIGTERM never does, nor
    after the context, when the process has only its last words to say: SLURM that preempts a job sends
    two within a fiftieth of a second.
    """

    SIGNALS = (signal.SIGTERM, signal.SIGINT)

    def __init__(self) -> None:
        self.signum: int | None = None
        self._earlier: dict[int, object] = {}

    def set(self, signum: int = signal.SIGTERM) -> None:
        """Raise the flag."""
        self.signum = signum

    def __enter__(self) -> "StopFlag":
        self._earlier = {number: signal.signal(number, self._handle) for number in self.SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._earlier.items():
            if number == signal.SIGINT or self.signum is None:
                signal.signal(number, handler)

    def _handle(self, signum: int, _: FrameType | None) -> None:
        self.set(signum)
        if signum == signal.SIGINT:
            signal.signal(signum, self._earlier[signum])
