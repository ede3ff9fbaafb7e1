"""The background process that keeps MLflow up to date while a study runs."""

import signal
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import psutil

from mimic.tracking.mirror import Mirror

LAST_PASS_S = 20.0  # for what happened since the last pass, once the end was asked for
LONGEST_WAIT_S = 300.0  # between attempts to reach a store that is away
_TICK_S = 0.25


def follow(
    results: Path,
    live: Path,
    uri: str | None = None,
    parent_pid: int | None = None,
    interval_s: float = 5.0,
    share: float = 0.005,
    progress: Callable[[str], None] = print,
) -> None:
    """Mirror a study every `interval_s` seconds until the process `parent_pid` has died or SIGTERM comes.

    Where passes take long it makes fewer: after the first they take at most `share` of a processor.
    Ends with a last pass of at most about LAST_PASS_S seconds. Without a parent, SIGINT ends it too; with
    one it is left to the parent. Never raises: a store that is away is tried again at growing intervals,
    and said to be away once. To be called in the main thread.
    """
    end = _End(parent_pid)
    report = cache(progress)  # a line that was said before is not said again
    mirror, failures = None, 0
    while True:
        last, began_s = end.near(), time.process_time()
        is_first = mirror is None  # which may have to create the store's tables
        try:
            mirror = mirror or Mirror(results, live, uri, report)
            mirror.sync(end.over)
            failures = 0
        except Exception as error:  # training must not depend on this process, nor this one on any store
            report(f"tracking: {error or type(error).__name__}")
            mirror = None  # what it knows may be wrong
            failures += 1
        if last:
            return
        took_s = 0.0 if is_first else time.process_time() - began_s
        wait_s = interval_s * 2 ** min(failures, 10)  # a power without bound overflows
        end.wait(min(max(wait_s, took_s / share), LONGEST_WAIT_S))


class _End:
    """Knows whether it is time to end: a signal came, or the parent is gone."""

    def __init__(self, parent_pid: int | None):
        self._told, self._deadline, self._parent = False, None, None
        try:
            self._parent = psutil.Process(parent_pid) if parent_pid is not None else None
        except psutil.NoSuchProcess:
            self._told = True
        # Ctrl-C reaches every process of a terminal; the parent may yet have results to wait for.
        signal.signal(signal.SIGINT, self._note if parent_pid is None else signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._note)

    def _note(self, *_: object) -> None:
        self._told = True

    def near(self) -> bool:
        """Whether the next pass is the last. The first time that it is, the clock starts."""
        if self._deadline is None and (self._told or not self._parent_lives()):
            self._deadline = time.monotonic() + LAST_PASS_S
        return self._deadline is not None

    def over(self) -> bool:
        """Whether even the last pass has had its time."""
        return self.near() and time.monotonic() > self._deadline

    def wait(self, seconds: float) -> None:
        """Sleep, but not past the end."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.near():
            time.sleep(_TICK_S)

    def _parent_lives(self) -> bool:
        parent = self._parent
        try:
            return parent is None or (parent.is_running() and parent.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False
