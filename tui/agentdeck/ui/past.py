"""A conversation as rows of a pane: fetched in pages, kept by their place, oldest first. Pure.

`Past` is what lies above the screen of one of our sessions, at lines below zero: line -1 is a mark, line -2 the last
line of the conversation before it. `Told` is a session that is only watched: its conversation is all there is to see.
"""

import re
from collections.abc import Iterable
from typing import Final

from agentdeck.protocol.facts import Conversation, ConversationLine
from agentdeck.protocol.screen import BOLD, DIM, ITALIC, Cursor, Row
from agentdeck.ui import glyphs
from agentdeck.ui.replica import Replica

PAGE: Final = 400
"""Lines that are asked for at once."""
KEPT: Final = 40_000
"""Lines kept here at most."""

_CYAN, _RED, _BLUE = 7, 2, 5
"""Colours of the palette, as style bits count them (from 1)."""
_STYLES: Final = {
    "user": BOLD | _BLUE, "thinking": DIM | ITALIC, "tool": _CYAN, "result": DIM, "error": _RED, "mark": DIM,
}  # fmt: skip
_SPOKEN: Final = re.compile(r"^\s*[>❯›⏺•✦]\s+(\S.*)$")
"""A line in which a CLI draws what was said: only those are in the transcript word for word."""
_LEAST, _MOST = 8, 24
"""Characters of such a line that are looked for; few lines have more of them before they break."""

_BLANK: Final = Row(())


def row_of(line: ConversationLine) -> Row:
    return Row(((line.text, _STYLES.get(line.style, 0)),)) if line.text else _BLANK


def telling(lines: Iterable[str]) -> str:
    """The beginning of the first line that a transcript has word for word; empty when there is none."""
    for line in lines:
        found = _SPOKEN.match(line)
        if found is not None and len(found[1]) >= _LEAST:
            return found[1][:_MOST].rstrip()
    return ""


class Pages:
    def __init__(self) -> None:
        self.total = 0
        self._rows: dict[int, Row] = {}
        self._asked: set[int] = set()

    def row(self, index: int) -> Row | None:
        return self._rows.get(index)

    def missing(self, first: int, last: int) -> int | None:
        """Return the `before` of a page to ask for so that lines first … last-1 can be shown, once for each page."""
        for index in range(min(last, self.total) - 1, max(0, first) - 1, -1):
            if index not in self._rows and index // PAGE not in self._asked:
                self._asked.add(index // PAGE)
                return min(self.total, (index // PAGE + 1) * PAGE)
        return None

    def keep(self, page: Conversation) -> None:
        if len(self._rows) > KEPT:
            self._rows.clear()
            self._asked.clear()
        self.total = max(self.total, page.total)
        for index, line in enumerate(page.lines, page.start):
            self._rows[index] = row_of(line)
        self._asked.discard(max(0, page.start + len(page.lines) - 1) // PAGE)

    def find(self, text: str, after: int) -> int | None:
        """The first known line after `after` that has this text."""
        wanted = text.casefold()
        return next((n for n in sorted(self._rows) if n > after and wanted in self._rows[n].text.casefold()), None)


class Past:
    """Lines of `columns` cells. It is empty until `begin` says what it holds."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.pages = Pages()
        self.base = 0
        """Lines of the conversation that lie above the mark."""
        self.begun = False

    @property
    def lowest(self) -> int:
        """The line of the oldest row: negative, or 0 when there is nothing."""
        return -(self.base + 1) if self.base else 0

    def begin(self, page: Conversation | None, overlap: str = "") -> None:
        """Take the newest page; None: there is no conversation.

        A page that ends with a line of the text `overlap` was found by it: from there on, the scrollback tells it.
        """
        self.begun = True
        if page is None or not page.lines:
            return
        self.pages.keep(page)
        end = page.start + len(page.lines)
        found = overlap and overlap.casefold() in page.lines[-1].text.casefold()
        self.base = end - 1 if found else page.total

    def index(self, line: int) -> int:
        """The place in the conversation of a line below zero."""
        return self.base + 1 + line

    def line(self, index: int) -> int:
        return index - self.base - 1

    def row(self, line: int) -> Row | None:
        if line == -1 and self.base:
            return mark(self.columns)
        return self.pages.row(self.index(line)) if self.lowest <= line < -1 else None

    def missing(self, first: int, last: int) -> int | None:
        return self.pages.missing(self.index(first), min(self.base, self.index(last)))


def mark(columns: int) -> Row:
    rule = glyphs.active().rule
    words = " above: the conversation, from its transcript "
    if columns <= len(words) + 4:
        return Row(((words.strip()[:columns], DIM),))
    left = (columns - len(words)) // 2
    return Row(((rule * left + words + rule * (columns - left - len(words)), DIM),))


class Told(Replica):
    """A watched session's conversation as a screen that never had a program."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.told = Pages()
        self.cursor = Cursor(0, 0, visible=False)

    def size(self, columns: int, height: int) -> bool:
        """Be shown at this size. Returns whether the conversation must be asked for anew."""
        if (columns, height) == (self.columns, len(self.rows)):
            return False
        narrower = columns != self.columns
        if narrower:
            self.columns, self.told = columns, Pages()
        self._settle(height)
        return narrower or not self.fresh

    def take(self, page: Conversation) -> None:
        self.told.keep(page)
        self.fresh = True
        self._settle(len(self.rows))

    def _settle(self, height: int) -> None:
        """The last lines are the screen, all others its history."""
        self.history = max(0, self.told.total - height)
        self.rows = [self.told.row(self.history + y) or _BLANK for y in range(height)]

    def row(self, line: int) -> Row | None:
        return self.told.row(line) if line < self.history else super().row(line)
