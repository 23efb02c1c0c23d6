"""Which lines of a session's feed are in a share's log already, and under which number.

A hub counts the lines of a feed as it meets them; the next hub reads the transcripts anew, in another order and perhaps
not from their beginning, and counts differently. The log outlives both. So it has numbers of its own, and a line is
known by what every hub says alike: when it was, its kind, whose it was, and the how many-th such one it is.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from agentdeck.protocol.facts import FeedLine
from agentdeck.protocol.viewers import Feed

KEPT: Final = 20_000
"""Lines that are known at least; what is older than all of them counts as told."""


class _Kin(NamedTuple):
    at: float
    kind: str
    agent: str


class _Line(NamedTuple):
    kin: _Kin
    nth: int


class _Told(NamedTuple):
    n: int
    status: str


class Numbering:
    """`logged` is what the log has, oldest first."""

    def __init__(self, logged: Iterable[Feed] = ()) -> None:
        self._told: dict[_Line, _Told] = {}
        """What the log has."""
        self._lines: dict[int, _Line] = {}
        """By the number that the hub gives it."""
        self._met: dict[_Kin, int] = {}
        self._last = 0
        self._end = ""
        """The text of the log's last line, if that is the end of the session."""
        by_number: dict[int, _Line] = {}
        for feed in logged:
            line = by_number.get(feed.n)
            if line is None:
                line = by_number[feed.n] = self._meet(_Kin(feed.at, feed.kind, feed.agent))
            self._remember(line, feed)
        self._since = min((line.kin.at for line in self._told), default=0.0)
        self._met.clear()

    def anew(self) -> None:
        """The hub counts from one again: the session has another conversation, or its feed was read anew."""
        self._lines.clear()
        self._met.clear()

    def number(self, line: FeedLine) -> int:
        """The number under which a line is to be told; 0 when the log has it as it is, or older ones than it."""
        kin = _Kin(line.at, line.kind, line.agent)
        known = self._lines.get(line.n)
        if known is not None and known.kin != kin:
            self.anew()
            known = None
        if known is None:
            known = self._lines[line.n] = self._meet(kin)
        told = self._told.get(known)
        if told is None:
            return 0 if line.at < self._since or self._is_same_end(line) else self._last + 1
        return 0 if line.status in (told.status, "pending") else told.n

    def tell(self, line: FeedLine, told: Feed) -> None:
        """A line is in the log now, as `told`."""
        self._remember(self._lines[line.n], told)

    def _meet(self, kin: _Kin) -> _Line:
        nth = self._met[kin] = self._met.get(kin, 0) + 1
        return _Line(kin, nth)

    def _remember(self, line: _Line, feed: Feed) -> None:
        self._told[line] = _Told(feed.n, feed.status)
        self._last = max(self._last, feed.n)
        self._end = feed.text if feed.kind == "session_end" else ""
        if len(self._told) > 2 * KEPT:
            by_age = sorted(self._told.items(), key=lambda item: item[0].kin.at)[KEPT:]
            self._told, self._since = dict(by_age), by_age[0][0].kin.at

    def _is_same_end(self, line: FeedLine) -> bool:
        """Each hub concludes for itself, and at its own time, that a session has ended."""
        return line.kind == "session_end" and line.text == self._end
