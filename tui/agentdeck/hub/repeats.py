"""What a worker tells that the one before it had told already.

A worker that is started anew tells the history of every session again, and the news of the last second, which had not
been saved when it died. Events of one transcript come in order, so its history is known by how far it was told; news
by the bytes themselves, because a transcript that was rewritten may tell news at any place.
"""

from collections import OrderedDict
from typing import Final

from agentdeck.events import Source

KEPT: Final = 20_000
"""News that are known again; positions are saved every second."""


class Repeats:
    def __init__(self) -> None:
        self._reached: dict[str, tuple[int, int]] = {}
        """How far each transcript was told: the offset of its last line, and how many events of that line."""
        self._until: dict[str, tuple[int, int]] = {}
        """The same when the worker began; the number is how many of them are still to come again."""
        self._news: OrderedDict[int, None] = OrderedDict()
        self._old_news: set[int] = set()

    def began(self) -> None:
        """A worker was started."""
        self._until = dict(self._reached)
        self._old_news = set(self._news)

    def knows(self, data: bytes, source: Source | None, *, history: bool) -> bool:
        """Whether an earlier worker told this event. Ask once for each, in the order in which they come."""
        if source is None:
            return False
        if history:
            if self._is_before(source):
                return True
        else:
            mark = hash(data)
            if mark in self._old_news:
                return True
            self._news[mark] = None
            if len(self._news) > KEPT:
                self._news.popitem(last=False)
        offset, count = self._reached.get(source.path, (-1, 0))
        self._reached[source.path] = (source.offset, count + 1 if source.offset == offset else 1)
        return False

    def _is_before(self, source: Source) -> bool:
        until = self._until.get(source.path)
        if until is None:
            return False
        offset, left = until
        if source.offset == offset and left:
            self._until[source.path] = (offset, left - 1)
            return True
        return source.offset < offset

    def forget(self, path: str) -> None:
        self._reached.pop(path, None)
        self._until.pop(path, None)
