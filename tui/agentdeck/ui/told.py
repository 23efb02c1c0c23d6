"""A conversation as a screen that never had a program: what is shown of a session that is only watched. Pure."""

from agentdeck.protocol import messages as m
from agentdeck.protocol.facts import Conversation, ReadConversation
from agentdeck.protocol.screen import Cursor, Row
from agentdeck.ui.past import BLANK, PAGE, Pages, page_before
from agentdeck.ui.replica import Replica


class Told(Replica):
    """The last lines are its screen, all others its history."""

    readable = True

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.pages = Pages()
        self.cursor = Cursor(0, 0, visible=False)

    def size(self, columns: int, height: int) -> None:
        """Be shown at this size; at another width everything is asked for anew."""
        if columns != self.columns:
            self.columns, self.pages, self.fresh = columns, Pages(), False
        if height != len(self.rows):
            self._settle(height)

    @property
    def newest(self) -> ReadConversation:
        """What tells how it goes on."""
        return ReadConversation(key=self.session, width=self.columns, count=PAGE)

    @property
    def lowest(self) -> int:
        return 0

    def row(self, line: int) -> Row | None:
        return self.pages.row(line) if line < self.history else super().row(line)

    def wanted(self, first: int, last: int) -> m.AnyRequest | None:
        before = self.pages.missing(first, last)
        return page_before(self.session, self.columns, before) if before else None

    def request(self, first: int, last: int) -> m.AnyRequest | None:
        return ReadConversation(key=self.session, width=self.columns, before=last, count=last - first)

    def seek(self, text: str, before: int) -> ReadConversation | None:
        end = min(self.pages.total, before)
        return (
            ReadConversation(key=self.session, width=self.columns, before=end, count=PAGE, find=text) if end else None
        )

    def take(self, reply: m.AnyReply) -> None:
        if isinstance(reply, Conversation):
            self.pages.keep(reply)
            self.fresh = True
            self._settle(len(self.rows))

    def _settle(self, height: int) -> None:
        self.history = max(0, self.pages.total - height)
        self.rows = [self.pages.row(self.history + y) or BLANK for y in range(height)]
