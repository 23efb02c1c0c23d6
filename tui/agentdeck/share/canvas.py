"""A redacted screen as viewers get it: each row encoded once, each step of a delta once, however many watch.

A viewer is described by the number of the last screen that it was sent. What it lacks is the newest form of every row
that changed since, so one that was away or slow costs one delta, never a backlog.
"""

from functools import lru_cache
from typing import Final

import msgspec

from agentdeck.protocol import screen as s
from agentdeck.protocol import viewers as v

_FLAGS: Final = (
    (s.BOLD, "1"), (s.DIM, "2"), (s.ITALIC, "3"), (s.BLINK, "5"), (s.INVERSE, "7"), (s.INVISIBLE, "8"),
    (s.STRIKE, "9"), (s.OVERLINE, "53"),
)  # fmt: skip
_UNDERLINES: Final = ("", "4", "4:2", "4:3", "4:4", "4:5")

MOST_COLS, MOST_ROWS = 500, 300
"""What is beyond is not shown to viewers."""


@lru_cache(4096)
def sgr(style: int) -> str:
    """The parameters of the SGR sequence for a style, empty for the plain one."""
    parts = [code for flag, code in _FLAGS if style & flag]
    if underline := (style >> s.UNDERLINE_SHIFT) & 7:
        parts.append(_UNDERLINES[underline % len(_UNDERLINES)])
    for colour, base in (
        (style & s.COLOUR_MASK, 30), ((style >> s.BACKGROUND_SHIFT) & s.COLOUR_MASK, 40),
    ):  # fmt: skip
        if colour & s.RGB:
            parts.append(f"{base + 8};2;{colour >> 16 & 255};{colour >> 8 & 255};{colour & 255}")
        elif colour:
            parts.append(_palette(colour - 1, base))
    return ";".join(parts)


def _palette(number: int, base: int) -> str:
    if number < 8:
        return str(base + number)
    return str(base + 52 + number) if number < 16 else f"{base + 8};5;{number}"


def line(row: s.Row) -> tuple[tuple[str, str], ...]:
    """The runs of a row; blanks at its end that look like nothing are left out."""
    runs = [(text, sgr(style)) for text, style in row.runs if text]
    while runs and not runs[-1][1]:
        text = runs[-1][0].rstrip(" ")
        if text:
            runs[-1] = (text, "")
            break
        runs.pop()
    return tuple(runs)


class Canvas:
    def __init__(self) -> None:
        self.tseq = 0
        """The number of the screen as it is now; 0 before the first."""
        self._size = (0, 0)
        self._sized_at = 0
        self._lines: list[bytes] = []
        self._changed_at: list[int] = []
        self._cursor = (0, 0, False)
        self._alternate = False
        self._made: dict[int, bytes] = {}

    def take(self, frame: s.Frame) -> None:
        size = min(frame.cols, MOST_COLS), min(frame.height, MOST_ROWS)
        self.tseq += 1
        self._made.clear()
        if frame.full or size != self._size:
            self._size, self._sized_at = size, self.tseq
            self._lines = [msgspec.json.encode((y, ())) for y in range(size[1])]
            self._changed_at = [self.tseq] * size[1]
        for y, row in frame.rows:
            if y < size[1]:
                self._lines[y] = msgspec.json.encode((y, line(row)))
                self._changed_at[y] = self.tseq
        cursor = frame.cursor
        self._cursor = (cursor.x, cursor.y, cursor.visible)
        self._alternate = frame.modes.alternate

    def body(self, since: int) -> bytes | None:
        """The `screen` body for a viewer that has screen `since`, 0 for none; None when there is nothing to send."""
        if not self.tseq or since == self.tseq:
            return None
        full = since < self._sized_at or since > self.tseq
        key = 0 if full else since
        if key not in self._made:
            self._made[key] = self._encode(key, full)
        return self._made[key]

    def _encode(self, since: int, full: bool) -> bytes:
        head = v.Screen(
            from_=since, tseq=self.tseq, full=full, cols=self._size[0], rows=self._size[1], lines=(),
            cursor=self._cursor, alternate=self._alternate,
        )  # fmt: skip
        lines = b",".join(
            text for text, at in zip(self._lines, self._changed_at, strict=True) if full or at > since
        )  # fmt: skip
        return msgspec.json.encode(head).replace(b'"lines":[]', b'"lines":[' + lines + b"]", 1)

    def text(self) -> str:
        """What is on the screen, without styles."""
        rows = (msgspec.json.decode(text, type=v.Line) for text in self._lines)
        return "\n".join("".join(run[0] for run in runs) for _, runs in rows)
