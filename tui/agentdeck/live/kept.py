"""The newest of a sequence, bounded by number and by size, and copies of events small enough to keep.

What is told to others is always whole. What stays in memory is cut, because one result may be many megabytes and a
session may have thousands of them; the transcript has the rest, at the event's `source`.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, Generic, TypeVar

from agentdeck import events as e

T = TypeVar("T")

LONGEST_TEXT: Final = 20_000
"""Characters kept of a message."""

LONGEST_OUTPUT: Final = 20_000
"""Characters kept of a call's result, of each text in its input, and of a diff."""

MOST_PARTS: Final = 100
"""Entries kept of each table or list in a call's input."""

CUT: Final = "…"
"""Ends a text that was cut."""


class Kept(Generic[T]):
    """Holds at most `most` items of at most `room` characters in all; the newest item always fits."""

    def __init__(self, most: int, room: int) -> None:
        self._most = most
        self._room = room
        self._items: deque[tuple[T, int]] = deque()
        self._used = 0

    def append(self, item: T, size: int) -> None:
        self._items.append((item, size))
        self._used += size
        self._drop(self._most, self._room)

    def shrink(self, most: int) -> None:
        """Keep only the newest `most`."""
        self._drop(most, self._room)

    def last(self, count: int) -> list[T]:
        """Return up to `count` of the newest, oldest first."""
        start = max(0, len(self._items) - count)
        return [self._items[index][0] for index in range(start, len(self._items))]

    def __iter__(self) -> Iterator[T]:
        return (item for item, _ in self._items)

    def __reversed__(self) -> Iterator[T]:
        return (item for item, _ in reversed(self._items))

    def __len__(self) -> int:
        return len(self._items)

    @property
    def size(self) -> int:
        """Characters held."""
        return self._used

    def _drop(self, most: int, room: int) -> None:
        while len(self._items) > most or (self._used > room and len(self._items) > 1):
            _, size = self._items.popleft()
            self._used -= size


def short_message(event: e.MessageAdded) -> e.MessageAdded:
    return event if len(event.text) <= LONGEST_TEXT else replace(event, text=cut(event.text, LONGEST_TEXT))


def short_use(event: e.ToolUsed) -> e.ToolUsed:
    short = {name: _short_value(value, 4) for name, value in list(event.input.items())[:MOST_PARTS]}
    return event if short == event.input else replace(event, input=short)


def short_result(event: e.ToolReturned) -> e.ToolReturned:
    return replace(
        event,
        output=cut(event.output, LONGEST_OUTPUT),
        files=tuple(replace(change, diff=cut(change.diff, LONGEST_OUTPUT)) for change in event.files[:MOST_PARTS]),
        used=short_use(event.used) if event.used is not None else None,
    )


def cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - len(CUT)] + CUT


def _short_value(value: object, depth: int) -> object:
    if isinstance(value, str):
        return cut(value, LONGEST_OUTPUT)
    if isinstance(value, dict):
        return {k: _short_value(v, depth - 1) for k, v in list(value.items())[:MOST_PARTS]} if depth else CUT
    if isinstance(value, list):
        return [_short_value(part, depth - 1) for part in value[:MOST_PARTS]] if depth else CUT
    return value
