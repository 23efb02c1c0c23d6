"""Selecting text in a pane, and what a copy of it says. Pure.

Positions are absolute: line 0 is the oldest row that the hub keeps, the screen's first row comes right after the
history. A selection therefore stays on its text while output scrolls by. A copy is made of logical lines: rows that the
terminal wrapped are joined, trailing blanks go, a wide character counts once.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from rich.cells import cell_len, split_graphemes

from agentdeck.protocol.screen import Row

Unit = Literal["cell", "word", "line"]
RowAt = Callable[[int], Row | None]
"""Absolute line → its row, None when that row is not known (yet)."""

_WORD: Final = re.compile(r"[^\s\"'`()\[\]{}<>|,;│┃║]+")
"""What a double click takes: paths, URLs and identifiers in one piece."""

LOGICAL_LIMIT: Final = 200
"""Rows that one triple click follows a wrapped line up or down at most."""


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Selection:
    """From the cell where the button went down to the cell under the pointer, both included."""

    anchor: Spot
    head: Spot
    unit: Unit = "cell"

    @property
    def ends(self) -> tuple[Spot, Spot]:
        return min(self.anchor, self.head), max(self.anchor, self.head)

    def to(self, spot: Spot) -> "Selection":
        return Selection(self.anchor, spot, self.unit)

    def columns(self, line: int, row_at: RowAt) -> tuple[int, int] | None:
        """Return the selected columns [start, end) of a line, None when it has none."""
        first, last = _extended(self, row_at)
        row = row_at(line)
        if row is None or not first.line <= line <= last.line:
            return None
        text = row.text
        start = _left_edge(text, first.column) if line == first.line else 0
        end = _right_edge(text, last.column) if line == last.line else cell_len(text)
        return (start, end) if start < end else None


def copy(selection: Selection, row_at: RowAt) -> str:
    """Return the selected text as clean logical lines, without a newline at its end."""
    first, last = _extended(selection, row_at)
    lines: list[str] = []
    current = ""
    for line in range(first.line, last.line + 1):
        row = row_at(line)
        columns = selection.columns(line, row_at)
        if row is None:
            continue
        piece = cut(row.text, *columns) if columns else ""
        if row.wrapped and line < last.line:
            current += _without_gap(piece, row_at(line + 1))
            continue
        lines.append((current + piece).rstrip())
        current = ""
    return "\n".join([*lines, current.rstrip()] if current else lines).rstrip("\n")


def cut(text: str, start: int, end: int) -> str:
    """Return the cells [start, end) of a text; a wide character that straddles an edge is left out."""
    if text.isascii():
        return text[start:end]
    column, kept = 0, []
    for begin, stop, width in split_graphemes(text)[0]:
        if column >= start and column + width <= end:
            kept.append(text[begin:stop])
        column += width
    return "".join(kept)


def _without_gap(piece: str, following: Row | None) -> str:
    """Drop the blank that a terminal leaves at the edge when a wide character did not fit any more."""
    if following is None or not piece.endswith(" ") or piece.endswith("  "):
        return piece
    head = following.text[:1]
    return piece[:-1] if head and cell_len(head) == 2 else piece


def _extended(selection: Selection, row_at: RowAt) -> tuple[Spot, Spot]:
    first, last = selection.ends
    match selection.unit:
        case "word":
            return _word(first, row_at)[0], _word(last, row_at)[1]
        case "line":
            return _line_start(first, row_at), _line_end(last, row_at)
        case _:
            return first, last


def _word(spot: Spot, row_at: RowAt) -> tuple[Spot, Spot]:
    row = row_at(spot.line)
    if row is None:
        return spot, spot
    for found in _WORD.finditer(row.text):
        start = cell_len(row.text[: found.start()])
        end = start + cell_len(found[0])
        if start <= spot.column < end:
            return Spot(spot.line, start), Spot(spot.line, end - 1)
    return spot, spot


def _line_start(spot: Spot, row_at: RowAt) -> Spot:
    line = spot.line
    while spot.line - line < LOGICAL_LIMIT and (above := row_at(line - 1)) is not None and above.wrapped:
        line -= 1
    return Spot(line, 0)


def _line_end(spot: Spot, row_at: RowAt) -> Spot:
    line, row = spot.line, row_at(spot.line)
    while line - spot.line < LOGICAL_LIMIT and row is not None and row.wrapped and row_at(line + 1) is not None:
        line += 1
        row = row_at(line)
    return Spot(line, max(0, cell_len(row.text) - 1) if row is not None else spot.column)


def _left_edge(text: str, column: int) -> int:
    """Move left onto the first cell of a wide character."""
    return column if text.isascii() else next((a for a, b in _spans(text) if a <= column < b), column)


def _right_edge(text: str, column: int) -> int:
    """Return the column after the character in `column`."""
    if text.isascii():
        return min(column + 1, len(text))
    return next((b for a, b in _spans(text) if a <= column < b), min(column + 1, cell_len(text)))


def _spans(text: str) -> list[tuple[int, int]]:
    column, spans = 0, []
    for _, _, width in split_graphemes(text)[0]:
        spans.append((column, column + width))
        column += width
    return spans
