"""Lines for a person: on a terminal with colour and live ones below them; in a file the plain lines alone."""

import os
import re
import shutil
import threading
from collections.abc import Sequence
from typing import TextIO

Piece = tuple[str, str | None]  # a text and its style

STYLES = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "cyan": 36}
UP, ERASE = "\x1b[A", "\x1b[2K"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Terminal:
    """A stream, and what stands in its live lines. The cursor waits at their end, where another may write."""

    def __init__(self, stream: TextIO, colour: bool = True) -> None:
        self._stream, self._lock = stream, threading.RLock()
        self.is_live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._colour = colour and self.is_live and not os.environ.get("NO_COLOR")
        self._below: list[Sequence[Piece]] = []

    def say(self, *pieces: Piece) -> None:
        """A line that stays."""
        with self._lock:
            below = self._below
            self._erase()
            self._stream.write("".join(self._styled(piece) for piece in pieces) + "\n")
            self._draw(below)

    def live(self, *lines: Sequence[Piece]) -> None:
        """Lines in place of the live ones before; none to end them. Each is cut to the terminal's width."""
        if self.is_live:
            with self._lock:
                self._erase()
                self._draw(list(lines))

    def leave(self) -> None:
        """Let the live lines stay where they are."""
        with self._lock:
            if self._below:
                self._stream.write("\n")
            self._below = []

    def _erase(self) -> None:
        if self._below:
            self._stream.write("\r" + (ERASE + UP) * (len(self._below) - 1) + ERASE)
        self._below = []

    def _draw(self, lines: list[Sequence[Piece]]) -> None:
        size = shutil.get_terminal_size()
        lines = lines[: max(size.lines - 1, 1)]  # what has left the screen can't be erased
        # a full line would have the terminal begin another
        told = ["".join(map(self._styled, _cut(line, size.columns - 1))) for line in lines]
        self._stream.write("\n".join(told))
        self._stream.flush()
        self._below = lines

    def _styled(self, piece: Piece) -> str:
        text, style = piece
        if not self._colour or style is None:
            return text
        return f"\x1b[{STYLES[style]}m{text}\x1b[0m"


def _cut(line: Sequence[Piece], width: int) -> list[Piece]:
    """What fits; what doesn't is told by dots. Control characters would lead the cursor astray."""
    kept, room = [], width
    for text, style in line:
        text = _CONTROL.sub(" ", text)
        if len(text) > room:
            return [*kept, (text[: max(room - 1, 0)] + "…", style)] if room > 0 else kept
        kept.append((text, style))
        room -= len(text)
    return kept
