"""The redacted twin of a screen: the same rows, with cells covered one for one.

Secrets do not end where a row ends. Rows are joined into logical lines where the terminal wrapped or the last column
is filled, and the seams of rows that a program wrapped by itself, inside a frame, are looked at for known values.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from agentdeck.protocol.screen import Frame, Row
from agentdeck.share.redact import COVER, Redactor, Span, merged
from agentdeck.terminal import width

ABOVE: Final = 40
"""Rows above the screen that may begin a line which goes on in it."""

_FRAME: Final = " │┃║|╎┆┊>"
_BLOCK_BEGIN: Final = re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY")
_BLOCK_END: Final = re.compile(r"-----END [A-Z ]{0,30}PRIVATE KEY")
_BODY: Final = re.compile(r"[A-Za-z0-9+/=]{16,}")


class Twin:
    """Takes frames of one screen in and returns them redacted, with every row whose redacted form has changed."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._rows: list[Row] = []
        self._shown: list[Row] = []

    def take(self, frame: Frame, above: Sequence[Row] = ()) -> Frame:
        """`above`: the last rows that have scrolled off."""
        if frame.full or len(self._rows) != frame.height:
            self._rows, self._shown = [Row(())] * frame.height, []
        for y, row in frame.rows:
            self._rows[y] = row
        tail = _open_end(above)
        rows = redacted([*tail, *self._rows], self._redactor)[len(tail) :]
        if len(self._shown) == len(rows):
            changed = tuple((y, row) for y, row in enumerate(rows) if row != self._shown[y])
            full = False
        else:
            changed, full = tuple(enumerate(rows)), True
        self._shown = rows
        return msgspec.structs.replace(frame, rows=changed, full=full)


def _open_end(above: Sequence[Row]) -> list[Row]:
    """The rows above that belong to the line with which the screen begins."""
    tail: list[Row] = []
    for row in reversed(above):
        if not _continues(row) and not (tail or _might_be_seam(row)):
            break
        if tail and not _continues(row):
            break
        tail.insert(0, row)
    return tail[-ABOVE:]


def _might_be_seam(row: Row) -> bool:
    return bool(row.text.rstrip(_FRAME))


def _continues(row: Row) -> bool:
    return row.wrapped or bool(row.runs and row.runs[-1][0][-1:].strip(" "))


def redacted(rows: Sequence[Row], redactor: Redactor) -> list[Row]:
    texts = [row.text for row in rows]
    spans: list[list[Span]] = [[] for _ in rows]
    first = 0
    for last, row in enumerate(rows):
        if _continues(row) and last + 1 < len(rows) and last - first < 200:
            continue
        _share_out(redactor.spans("".join(texts[first : last + 1]).rstrip(" ")), first, texts, spans)
        first = last + 1
    if redactor.known:
        _seams(texts, spans, redactor)
    _blocks(texts, spans)
    return [covered(row, merged(found)) if found else row for row, found in zip(rows, spans, strict=True)]


def _share_out(found: Sequence[Span], first: int, texts: Sequence[str], spans: list[list[Span]]) -> None:
    """Bring spans of a logical line to the rows that it is made of."""
    for start, end in found:
        y, offset = first, 0
        while offset < end:
            size = len(texts[y])
            if start < offset + size:
                spans[y].append((max(0, start - offset), min(size, end - offset)))
            offset += size
            y += 1


def _seams(texts: Sequence[str], spans: list[list[Span]], redactor: Redactor) -> None:
    """Cover known values that a program broke between two rows, whatever it drew around its text."""
    bodies = [_body(text) for text in texts]
    for y in range(len(texts) - 1):
        (start, end), (next_start, next_end) = bodies[y], bodies[y + 1]
        if end - start < 1 or next_end - next_start < 1:
            continue
        broken = redactor.breaks.get(texts[y][end - 1] + texts[y + 1][next_start])
        for left, right in broken or ():
            if texts[y].endswith(left, start, end) and texts[y + 1].startswith(right, next_start, next_end):
                spans[y].append((end - len(left), end))
                spans[y + 1].append((next_start, next_start + len(right)))


def _body(text: str) -> Span:
    """What a row holds between frames and blanks."""
    end = len(text.rstrip(_FRAME))
    return min(end, len(text) - len(text.lstrip(_FRAME))), end


def _blocks(texts: Sequence[str], spans: list[list[Span]]) -> None:
    """Cover the lines of a private key between its marks, or down to the first line that is none of it."""
    inside = False
    for y, text in enumerate(texts):
        if _BLOCK_END.search(text):
            inside = False
        elif inside:
            found = [match.span() for match in _BODY.finditer(text)]
            spans[y] += found
            inside = bool(found) or not text.strip()
        elif _BLOCK_BEGIN.search(text):
            inside = True


def covered(row: Row, spans: Sequence[Span]) -> Row:
    """Replace these characters by as many full blocks as they had cells; styles stay, links go."""
    runs: list[tuple[str, int]] = []
    offset, waiting = 0, list(spans)
    for text, style in row.runs:
        parts, at, end = [], 0, offset + len(text)
        while waiting and waiting[0][0] < end:
            start, stop = max(0, waiting[0][0] - offset), min(len(text), waiting[0][1] - offset)
            parts += [text[at:start], COVER * sum(map(width.of, text[start:stop]))]
            at = stop
            if waiting[0][1] > end:
                break
            waiting.pop(0)
        runs.append(("".join(parts) + text[at:], style))
        offset = end
    return Row(tuple(runs), wrapped=row.wrapped)
