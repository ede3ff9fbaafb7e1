"""`mimic COMMAND`: every step of the study, and what a person needs around it."""

import importlib
import os
import signal
import sys

from mimic.support import disk
from mimic.support.errors import MimicError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status. What the user can mend is said in one line."""
    first, *others = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        try:
            from mimic.commands.grammar import parser  # here, since Ctrl-C may come while modules load

            options = parser().parse_args([first.replace("_", "-"), *others])
            return importlib.import_module(f"mimic.commands.{options.module}").run(options) or 0
        finally:
            sys.stdout.flush()
    except MimicError as error:
        print(f"mimic: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second one need not be told of
        return 128 + signal.SIGINT
    except BrokenPipeError:  # of `mimic check | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is left in the buffer
        return 128 + signal.SIGPIPE
    except OSError as error:
        if not (line := disk.refused(error)):
            raise
        print(f"mimic: {line}", file=sys.stderr)
        return 2


def script() -> None:
    """`mimic`, as it is installed."""
    sys.exit(main())


if __name__ == "__main__":
    script()
