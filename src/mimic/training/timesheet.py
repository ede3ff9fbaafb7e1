"""Who has worked for how long on a device that several trainings share."""

import time
from itertools import pairwise

import torch

from mimic.training.trainer import State


class Timesheet:
    """Books stretches of time on trainings, by the clock of the device.

    A GPU runs behind the program, so there a mark is an event in the GPU's own queue: booking waits for
    nothing, only `settle` does.
    """

    def __init__(self, device: torch.device) -> None:
        """Start the clock."""
        self._queue = torch.cuda.current_stream(device) if device.type == "cuda" else None
        self._booked: list[tuple[float | torch.cuda.Event, tuple[State, ...]]] = []
        self.book()

    def book(self, *states: State) -> None:
        """The time since the last booking belongs to these trainings in equal shares."""
        self._booked.append((self._now(), states))

    def settle(self) -> None:
        """Add what is booked to the `epoch_seconds` of each. Waits for the device."""
        for (begin, _), (end, states) in pairwise(self._booked):
            for state in states:
                state.epoch_seconds += _seconds(begin, end) / len(states)
        del self._booked[:-1]

    def _now(self) -> float | torch.cuda.Event:
        if self._queue is None:
            return time.perf_counter()
        return self._queue.record_event(torch.cuda.Event(enable_timing=True))


def _seconds(begin: float | torch.cuda.Event, end: float | torch.cuda.Event) -> float:
    if isinstance(end, float):
        return end - begin  # type: ignore[operator]
    end.synchronize()
    return begin.elapsed_time(end) / 1000  # type: ignore[union-attr]
