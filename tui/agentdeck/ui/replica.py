"""The deck's copy of one session's screen, kept up to date by frames. Pure.

It outlives the pane that shows it: going back to a session shows its last known screen at once, and the full frame that
follows corrects it. Rows above the screen are fetched in pages and kept while the width stays the same.
"""

from collections.abc import Iterable
from typing import Final

from agentdeck.protocol.messages import History
from agentdeck.protocol.screen import Cursor, Frame, Modes, Row

KEPT: Final = 6000
"""History rows kept here at most."""
PAGE: Final = 200
"""History rows that are asked for at once."""

_BLANK: Final = Row(())


class Replica:
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

    def apply(self, frame: Frame) -> Iterable[int] | None:
        """Take a frame in. Returns the screen rows that changed, None for all of them."""
        self.cursor, self.modes = frame.cursor, frame.modes
        grew = frame.history - self.history
        self.history = frame.history
        if frame.cols != self.columns or grew < 0:
            self._pages.clear()
            self._asked.clear()
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
            return None
        if line < self.history:
            return self._pages.get(line)
        y = line - self.history
        return self.rows[y] if y < len(self.rows) else None

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
