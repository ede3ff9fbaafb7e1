"""Commands as a person calls them, without a process each."""

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mimic.__main__ import main


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def mimic() -> Callable[..., Done]:
    """Call `mimic ARGUMENTS` in a folder."""

    def call(folder: Path, *arguments: str) -> Done:
        with (
            contextlib.chdir(folder),
            contextlib.redirect_stdout(io.StringIO()) as stdout,
            contextlib.redirect_stderr(io.StringIO()) as stderr,
        ):
            try:
                status = main(list(arguments))
            except SystemExit as end:  # argparse's
                status = end.code
        return Done(status or 0, stdout.getvalue(), stderr.getvalue())

    return call
