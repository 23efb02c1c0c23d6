"""Draw a recorded screen into a window of any size: rows in, bytes out.

A window that is smaller shows the part in which things happen: the lowest rows that hold anything, from the left.
"""

import unicodedata
from collections.abc import Mapping
from typing import Final

from agentdeck.demo.recording import Runs, Step
from agentdeck.terminal import vt

OPEN: Final = b"\x1b[?1049h\x1b[?7l\x1b[?25l\x1b[2J"
CLOSE: Final = b"\x1b[m\x1b[?7h\x1b[?25h\x1b[?1049l"
NOTICE: Final = " this is a recording · Ctrl+C ends it "


class Picture:
    def __init__(self, columns: int, height: int) -> None:
        self._columns, self._height = columns, height
        self._rows: dict[int, Runs] = {}
        self._cursor = (0, 0, True)
        self._top = 0
        self.noticed = False
        """Whether the last row says that this is a recording."""

    def resize(self, columns: int, height: int) -> bytes:
        self._columns, self._height = columns, height
        return self.whole()

    def start_again(self) -> None:
        """Forget the rows: the recording begins anew."""
        self._rows.clear()

    def apply(self, step: Step) -> bytes:
        """Take in one step and return what draws it."""
        self._rows.update(step.rows)
        self._cursor = step.cursor
        if (top := self._first_row()) != self._top:
            self._top = top
            return step.aside.encode() + self.whole()
        return step.aside.encode() + self._drawn(step.rows)

    def whole(self) -> bytes:
        """Draw everything."""
        self._top = self._first_row()
        return self._drawn({y: self._rows.get(y, ()) for y in range(self._top, self._top + self._height)})

    def _first_row(self) -> int:
        used = max((y for y, runs in self._rows.items() if runs), default=-1)
        return max(0, max(used, self._cursor[1]) + 1 - self._height)

    def _drawn(self, rows: Mapping[int, Runs]) -> bytes:
        parts = [b"\x1b[?2026h\x1b[?25l"]
        for y, runs in sorted(rows.items()):
            if 0 <= y - self._top < self._height:
                parts.append(b"\x1b[%d;1H\x1b[m\x1b[2K%s" % (y - self._top + 1, drawn_row(runs, self._columns)))
        if self.noticed:
            notice = NOTICE[: self._columns].encode()
            parts.append(b"\x1b[%d;1H\x1b[m\x1b[2K\x1b[7m%s\x1b[m" % (self._height, notice))
        x, y, visible = self._cursor
        if visible and 0 <= y - self._top < self._height and x < self._columns:
            parts.append(b"\x1b[%d;%dH\x1b[?25h" % (y - self._top + 1, x + 1))
        parts.append(b"\x1b[?2026l")
        return b"".join(parts)


def drawn_row(runs: Runs, columns: int) -> bytes:
    """The first `columns` cells of a row."""
    parts, left = [], columns
    for text, style in runs:
        part, taken = _cut(text, left)
        parts.append(vt.sgr(style) + part.encode())
        left -= taken
        if left <= 0 or len(part) < len(text):
            break
    return b"".join(parts) + b"\x1b[m"


def _cut(text: str, columns: int) -> tuple[str, int]:
    if text.isascii():
        return text[:columns], min(len(text), columns)
    taken = 0
    for index, character in enumerate(text):
        wide = 0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        if taken + wide > columns:
            return text[:index], taken
        taken += wide
    return text, taken
