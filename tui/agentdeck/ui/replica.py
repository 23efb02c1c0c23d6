"""The deck's copy of one session's screen, kept up to date by frames. Pure.

It outlives the pane that shows it: going back to a session shows its last known screen at once, and the full frame that
follows corrects it. Rows above the screen are fetched in pages and kept while the width stays the same. Above the
oldest of them, at lines below zero, the conversation goes on as its transcript tells it.
"""

from collections.abc import Iterable
from typing import Final

from agentdeck.protocol import messages as m
from agentdeck.protocol.facts import Conversation, ReadConversation
from agentdeck.protocol.messages import History
from agentdeck.protocol.screen import Cursor, Frame, Modes, Row
from agentdeck.ui.past import Past

KEPT: Final = 6000
"""History rows kept here at most."""
PAGE: Final = 200
"""History rows that are asked for at once."""

_BLANK: Final = Row(())


class Replica:
    readable = False
    """Whether it is there to be read, because no program gets keys."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.columns = 0
        self.rows: list[Row] = []
        self.cursor = Cursor(0, 0)
        self.modes = Modes()
        self.history = 0
        """Rows above the screen, as of the last frame."""
        self.fresh = False
        """Whether a full frame has come since the screen was last asked for."""
        self._pages: dict[int, Row] = {}
        self._asked: set[int] = set()
        self._past: Past | None = None

    def apply(self, frame: Frame) -> Iterable[int] | None:
        """Take a frame in. Returns the screen rows that changed, None for all of them."""
        self.cursor, self.modes = frame.cursor, frame.modes
        grew = frame.history - self.history
        self.history = frame.history
        if frame.cols != self.columns or grew < 0:
            self._pages.clear()
            self._asked.clear()
            self._past = None
        if frame.full or frame.cols != self.columns or frame.height != len(self.rows):
            self.columns = frame.cols
            known = self.rows if not frame.full else []
            self.rows = (known + [_BLANK] * frame.height)[: frame.height]
            for y, row in frame.rows:
                if y < frame.height:
                    self.rows[y] = row
            self.fresh = True
            return None
        for y, row in frame.rows:
            self.rows[y] = row
        return [y for y, _ in frame.rows]

    def row(self, line: int) -> Row | None:
        """Return an absolute line: 0 is the oldest of the history. None when it is not known or does not exist."""
        if line < 0:
            return self._past.row(line) if self._past is not None else None
        if line < self.history:
            return self._pages.get(line)
        y = line - self.history
        return self.rows[y] if y < len(self.rows) else None

    @property
    def lowest(self) -> int:
        """The oldest line that is known of; below zero it is told by the transcript."""
        return self._past.lowest if self._past is not None else 0

    @property
    def told(self) -> bool:
        """Whether it is known what the transcript tells of the time before the oldest row."""
        return self._past is not None and self._past.begun

    def wanted(self, first: int, last: int) -> m.AnyRequest | None:
        """What to ask the hub so that lines first … last-1 can be shown, each thing once."""
        if (start := self.missing(first, last)) is not None:
            return m.ReadHistory(session=self.session, start=start, count=PAGE)
        if first >= 0 or not self.columns:
            return None
        if self._past is None:
            self._past = Past(self.session, self.columns)
        if self._past.begun:
            return self._past.wanted(first, min(last, 0))
        oldest = [self.row(line) for line in range(min(PAGE, self.history + len(self.rows)))]
        if self.history and oldest[0] is None:
            return None  # asked for, and on its way
        return self._past.opening(row.text for row in oldest if row is not None)

    def request(self, first: int, last: int) -> m.AnyRequest | None:
        """What to ask for lines first … last-1 above the screen, all of them on one side of zero."""
        if first >= 0:
            return m.ReadHistory(session=self.session, start=first, count=last - first)
        return self._past.request(first, last) if self._past is not None else None

    def seek(self, text: str, before: int) -> ReadConversation | None:
        """What to ask for the last line of the transcript's part, above line `before`, that has a text."""
        return self._past.seek(text, before) if self._past is not None else None

    def line_of(self, index: int) -> int:
        """The line on which line `index` of the conversation is."""
        return self._past.line(index) if self._past is not None else index

    def take(self, reply: m.AnyReply) -> None:
        """Take in what was asked for."""
        if isinstance(reply, History):
            self.keep(reply)
        elif isinstance(reply, Conversation) and self._past is not None:
            self._past.take(reply)

    def untold(self) -> None:
        """There is no transcript."""
        if self._past is not None:
            self._past.begin(None)

    def missing(self, first: int, last: int) -> int | None:
        """Return the start of a page to ask for so that history lines first … last-1 can be shown, once per page."""
        for line in range(max(0, first), min(last, self.history)):
            start = line // PAGE * PAGE
            if line not in self._pages and start not in self._asked:
                self._asked.add(start)
                return start
        return None

    def keep(self, page: History) -> None:
        """Take in rows of the history."""
        if len(self._pages) > KEPT:
            self._pages.clear()
        for offset, row in enumerate(page.rows):
            self._pages[page.start + offset] = row
        self._asked.discard(page.start // PAGE * PAGE)
