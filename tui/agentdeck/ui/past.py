"""A conversation as rows of a pane: fetched in pages, kept by their place, oldest first. Pure.

`Past` is what lies above the scrollback of one of our sessions, at lines below zero: line -1 is a mark, line -2 the
last line of the conversation before it.
"""

import re
from collections.abc import Iterable
from typing import Final

from agentdeck.protocol.facts import Conversation, ConversationLine, ReadConversation
from agentdeck.protocol.screen import BOLD, DIM, ITALIC, Row
from agentdeck.ui import glyphs

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

BLANK: Final = Row(())


def row_of(line: ConversationLine) -> Row:
    return Row(((line.text, _STYLES.get(line.style, 0)),)) if line.text else BLANK


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


class Past:
    """Lines of `columns` cells. Nobody knows what it holds until `begin` says so."""

    def __init__(self, key: str, columns: int) -> None:
        self.key = key
        self.columns = columns
        self.pages = Pages()
        self.base = 0
        """Lines of the conversation that lie above the mark."""
        self.begun = False
        self._asked = False

    @property
    def lowest(self) -> int:
        """The line of the oldest row: negative, or 0 when there is nothing."""
        return -(self.base + 1) if self.base else 0

    def opening(self, lines: Iterable[str]) -> ReadConversation | None:
        """What to ask first, once. `lines` are the oldest of the scrollback: the conversation ends where they begin."""
        if self._asked:
            return None
        self._asked = True
        return ReadConversation(key=self.key, width=self.columns, count=PAGE, find=telling(lines))

    def begin(self, page: Conversation | None) -> None:
        """Take the newest page; None: there is no conversation.

        From the line that was looked for on, the scrollback tells it.
        """
        self.begun = True
        if page is None or not page.lines:
            return
        self.pages.keep(page)
        self.base = page.line if page.line >= 0 else page.total

    def take(self, page: Conversation) -> None:
        if self.begun:
            self.pages.keep(page)
        else:
            self.begin(page)

    def index(self, line: int) -> int:
        """The place in the conversation of a line below zero."""
        return self.base + 1 + line

    def line(self, index: int) -> int:
        return index - self.base - 1

    def row(self, line: int) -> Row | None:
        if line == -1 and self.base:
            return mark(self.columns)
        return self.pages.row(self.index(line)) if self.lowest <= line < -1 else None

    def wanted(self, first: int, last: int) -> ReadConversation | None:
        """What to ask so that lines first … last-1 can be shown, once for each page."""
        before = self.pages.missing(self.index(first), min(self.base, self.index(last)))
        return page_before(self.key, self.columns, before) if before else None

    def request(self, first: int, last: int) -> ReadConversation | None:
        """What to ask for lines first … last-1."""
        start, end = max(0, self.index(first)), min(self.base, self.index(last))
        return (
            ReadConversation(key=self.key, width=self.columns, before=end, count=end - start) if end > start else None
        )

    def seek(self, text: str, before: int) -> ReadConversation | None:
        """What to ask for the last line above line `before` that has a text: the page that ends with it."""
        end = min(self.base, self.index(before))
        return (
            ReadConversation(key=self.key, width=self.columns, before=end, count=PAGE, find=text) if end > 0 else None
        )


def page_before(key: str, columns: int, before: int) -> ReadConversation:
    """Ask for the page that ends before line `before`, and begins where pages begin."""
    return ReadConversation(key=key, width=columns, before=before, count=(before - 1) % PAGE + 1)


def mark(columns: int) -> Row:
    rule = glyphs.active().rule
    words = " above: the conversation, from its transcript "
    if columns <= len(words) + 4:
        return Row(((words.strip()[:columns], DIM),))
    left = (columns - len(words)) // 2
    return Row(((rule * left + words + rule * (columns - left - len(words)), DIM),))
