"""A terminal that remembers what it was told, and what then stands on it."""

import io
import re

import pytest


class Tty(io.StringIO):
    """As a person has it: 100 columns, 24 lines."""

    def isatty(self) -> bool:
        return True

    @property
    def shown(self) -> list[str]:
        """The lines that stand on it, without colours."""
        lines, row, column = [""], 0, 0
        for part in re.findall(r"\x1b\[\d*[A-Za-z]|\r|\n|[^\x1b\r\n]+", self.getvalue()):
            match part:
                case "\r":
                    column = 0
                case "\n":
                    row, column = row + 1, 0
                    lines += [""] * (row + 1 - len(lines))
                case "\x1b[A":
                    row -= 1
                case "\x1b[2K":
                    lines[row] = ""
                case _ if part.startswith("\x1b"):
                    assert part.endswith("m"), part  # a colour
                case _:
                    lines[row] = lines[row].ljust(column)[:column] + part + lines[row][column + len(part) :]
                    column += len(part)
        return [line for line in lines if line]


@pytest.fixture
def tty(monkeypatch) -> Tty:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "24")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Tty()
