"""`mimic status`: how far a study is that runs here or elsewhere, from its files; nothing is written."""

import os
import sys
import time
from contextlib import ExitStack, suppress

from mimic.config.reading import way_out
from mimic.progress import text
from mimic.progress.looking import Looking, last_run
from mimic.progress.status import Status
from mimic.support.errors import MimicError
from mimic.support.terminal import Terminal

SHARE = 50  # a look that takes long is taken less often: at most this part of the time is spent looking


def run(options) -> None:
    """Print it once, or until the study is done. Raises MimicError where there is no study."""
    try:
        os.chdir(options.folder)
    except OSError as error:
        raise MimicError(f"{options.folder}: {error.strerror}; name a study's folder") from None
    params = options.params or last_run()
    if params is None:
        raise MimicError(f"{options.folder}: no snakemake has run here; {way_out()}")
    looking, terminal = Looking(params, options.jobs), Terminal(sys.stdout)
    with suppress(BrokenPipeError), ExitStack() as stack:
        stack.callback(terminal.leave)
        while True:
            began = time.monotonic()
            status = looking.status()
            over = options.watch is None or status.done == status.jobs
            _tell(status, terminal, options.json, over)
            if over:
                return
            time.sleep(max(options.watch, SHARE * (time.monotonic() - began)))


def _tell(status: Status, terminal: Terminal, as_json: bool, over: bool) -> None:
    if as_json:
        print(status.as_json(), flush=True)
    elif over:
        terminal.live()
        for line in text.lines(status):
            terminal.say(*line)
    elif terminal.is_live:
        terminal.live(*text.lines(status))
    else:
        terminal.say(*text.live(status))
