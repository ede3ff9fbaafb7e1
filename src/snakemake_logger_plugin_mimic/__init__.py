"""What Snakemake tells, for people: found by Snakemake under this name, asked for by `logger: [mimic]`."""

import atexit
import getpass
import os
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass, field
from logging import LogRecord
from pathlib import Path
from types import TracebackType

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

from mimic.support import messages

EVERY = 2  # seconds between two looks at the study, on a terminal
RARELY = 600  # … for a line in a file


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """Its flag, --logger-mimic-off, or SNAKEMAKE_LOGGER_MIMIC_OFF=true."""

    off: bool = field(
        default=False,
        metadata={"help": "Snakemake's own lines, and what jobs say in between.", "env_var": True},
    )


class LogHandler(LogHandlerBase):
    """A line a job and a live line; Snakemake's own for a dry run, and for who asks for more of them."""

    def __post_init__(self) -> None:
        stand_in()
        asked, off = self.common_settings, self.settings is not None and self.settings.off
        self._screen = self._helper = None
        if asked.dryrun:
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `snakemake -n | head` just ends
        if off or asked.dryrun or asked.verbose or asked.debug_dag or asked.printshellcmds:
            return
        from mimic.progress.screen import Screen  # every job's own snakemake imports this module
        from mimic.support.terminal import Terminal

        self._terminal = Terminal(sys.stdout if asked.stdout else sys.stderr, colour=not asked.nocolor)
        self._screen = Screen(self._terminal, self.format, self._begin)

    def _begin(self, jobs: int | None) -> None:
        from mimic.progress.helper import Helper

        often = self._terminal.is_live
        self._helper = Helper(self._screen.tell, jobs, EVERY if often else RARELY, 0 if often else RARELY)
        self._helper.start()

    def emit(self, record: LogRecord) -> None:
        """Show an event. Snakemake calls it in a thread of its own, so that nothing waits."""
        if self._screen:
            try:
                self._screen.handle(record)
            except Exception:
                self.handleError(record)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._helper:
            self._helper.end()
        if self._screen:
            self._screen.end()
        super().close()

    @property
    def writes_to_stream(self) -> bool:
        return self._screen is not None

    @property
    def writes_to_file(self) -> bool:
        return False

    @property
    def has_filter(self) -> bool:
        return False  # --quiet counts

    @property
    def has_formatter(self) -> bool:
        return False  # --show-failed-logs counts

    @property
    def needs_rulegraph(self) -> bool:
        return False


def tell_of_interrupts() -> None:
    """Have Ctrl-C while Snakemake starts, or a second one, end it with a line in place of a traceback."""

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if kind is not KeyboardInterrupt:
            sys.__excepthook__(kind, error, trace)
            return
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # one more need not be told of
        print(messages.STOPPED, file=sys.stderr)

    sys.excepthook = tell


def stand_in() -> None:
    """For a home folder to write to, and a user's name, which Snakemake needs and a container may lack.

    Loggers come to life before Snakemake asks.
    """
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    if not _is_writable(cache):
        here = Path(".snakemake/cache").absolute()
        os.environ["XDG_CACHE_HOME"] = str(here) if _is_writable(here) else _until_the_end()
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["USER"] = str(os.getuid())


def _is_writable(folder: str | Path) -> bool:
    try:
        Path(folder).expanduser().mkdir(parents=True, exist_ok=True)
        return os.access(Path(folder).expanduser(), os.W_OK)
    except (OSError, RuntimeError):
        return False


def _until_the_end() -> str:
    """A folder of this process's own: for who looks into another's."""
    folder = tempfile.mkdtemp(prefix="mimic-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


tell_of_interrupts()  # as early as Snakemake lets anyone speak, long before it makes a handler
