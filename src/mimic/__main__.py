"""`mimic COMMAND`: every step of the study, and what a person needs around it."""

import importlib
import sys

from mimic.commands.grammar import parser
from mimic.support.errors import MimicError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status. What the user can mend is said in one line."""
    first, *others = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    options = parser().parse_args([first.replace("_", "-"), *others])
    try:
        return importlib.import_module(f"mimic.commands.{options.module}").run(options) or 0
    except MimicError as error:
        print(f"mimic: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def script() -> None:
    """`mimic`, as it is installed."""
    sys.exit(main())


if __name__ == "__main__":
    script()
