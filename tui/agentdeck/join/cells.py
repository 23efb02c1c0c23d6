"""A shared screen as rows of styled runs, as the pane draws them. Pure.

The parameters that style a run are read one by one and everything unknown is dropped, and so is every character that
could move or hide something: nothing that comes from the other machine reaches this terminal as it is.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from agentdeck.protocol import screen as s
from agentdeck.protocol import viewers as v

MOST_COLS, MOST_ROWS = 500, 300

_FLAGS: Final = {
    "1": s.BOLD, "2": s.DIM, "3": s.ITALIC, "5": s.BLINK, "7": s.INVERSE, "8": s.INVISIBLE, "9": s.STRIKE,
    "53": s.OVERLINE,
}  # fmt: skip
_UNSAFE: Final = dict.fromkeys(
    (*range(0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)), " "
)

MOST_IN_A_CELL: Final = 8
"""Characters of a row that are read, for each of its cells."""
_MARK: Final = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_HEAPS: Final = re.compile(f"({_MARK}{{4}}){_MARK}+")
"""More marks on one letter than any language has."""


@lru_cache(4096)
def style(parameters: str) -> int:
    """The style that the parameters of an SGR sequence mean; what is not understood means nothing."""
    bits = 0
    parts = parameters.split(";")[:32]
    at = 0
    while at < len(parts):
        part = parts[at]
        at += 1
        if part in _FLAGS:
            bits |= _FLAGS[part]
        elif part == "4" or (part[:2] == "4:" and part[2:] in "12345" and part[2:]):
            bits = bits & ~(7 << s.UNDERLINE_SHIFT) | int(part[2:] or "1") << s.UNDERLINE_SHIFT
        elif part in ("38", "48"):
            colour, used = _extended(parts[at:])
            at += used
            bits = _coloured(bits, colour, back=part == "48")
        elif part.isascii() and part.isdecimal() and len(part) < 4:
            bits = _palette(bits, int(part))
    return bits


def _extended(parts: list[str]) -> tuple[int, int]:
    """The colour after a 38 or 48, and how many parameters it took."""
    kind = parts[0] if parts else ""
    wanted = {"5": 1, "2": 3}.get(kind, 0)
    values = [int(p) for p in parts[1 : 1 + wanted] if p.isascii() and p.isdecimal() and len(p) < 4 and int(p) < 256]
    if not wanted or len(values) != wanted:
        return 0, 1 + wanted if wanted else 0
    if kind == "5":
        return values[0] + 1, 2
    return s.RGB | values[0] << 16 | values[1] << 8 | values[2], 4


def _palette(bits: int, number: int) -> int:
    for base, back, bright in ((30, False, 0), (40, True, 0), (90, False, 8), (100, True, 8)):
        if base <= number < base + 8:
            return _coloured(bits, number - base + bright + 1, back=back)
    return bits


def _coloured(bits: int, colour: int, *, back: bool) -> int:
    shift = s.BACKGROUND_SHIFT if back else 0
    return bits & ~(s.COLOUR_MASK << shift) | colour << shift


def tame(text: str) -> str:
    """The text without characters that move or hide something, line ends among them, and few marks on each letter."""
    text = text.translate(_UNSAFE)
    return text if text.isascii() else _HEAPS.sub(r"\1", text)


def row(runs: tuple[tuple[str, str], ...], cols: int, width: Callable[[str], int] = len) -> s.Row:
    """One line of cells, filled up to the width of the screen."""
    made: list[tuple[str, int]] = []
    budget = MOST_IN_A_CELL * cols
    for text, parameters in runs:
        if budget <= 0:
            break
        tamed = tame(text[:budget])
        budget -= len(tamed)
        if tamed:
            made.append((tamed, style(parameters)))
    missing = cols - sum(width(text) for text, _ in made)
    if missing > 0:
        made.append((" " * missing, 0))
    return s.Row(tuple(made))


class SharedScreen:
    """The shared screen's numbers: which changes fit what we have."""

    def __init__(self, name: str, width: Callable[[str], int] = len) -> None:
        self.name = name
        self.size = (0, 0)
        self.tseq = 0
        self.lost = False
        """A change came that does not fit: ask for the whole screen."""
        self._width = width

    def take(self, told: v.Screen) -> s.Frame | None:
        """What to draw; None for what is old or does not fit."""
        if not told.full and (self.lost or not self.tseq):
            self.lost = True
            return None
        if not told.full and told.tseq <= self.tseq:
            return None
        if not told.full and told.from_ != self.tseq:
            self.lost = True
            return None
        cols, rows = min(max(2, told.cols), MOST_COLS), min(max(2, told.rows), MOST_ROWS)
        if not told.full and (cols, rows) != self.size:
            self.lost = True
            return None
        self.size, self.tseq, self.lost = (cols, rows), told.tseq, False
        x, y, visible = told.cursor
        lines = {at: row(runs, cols, self._width) for at, runs in told.lines if 0 <= at < rows}
        if told.full:
            blank = row((), cols)
            lines = {at: lines.get(at, blank) for at in range(rows)}
        return s.Frame(
            session=self.name, seq=told.tseq, cols=cols, height=rows, full=told.full, rows=tuple(sorted(lines.items())),
            cursor=s.Cursor(min(max(0, x), cols - 1), min(max(0, y), rows - 1), visible),
            modes=s.Modes(alternate=told.alternate), history=0,
        )  # fmt: skip
