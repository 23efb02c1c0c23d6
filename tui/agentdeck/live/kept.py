"""The newest of a sequence, bounded by number and by size, and copies of events small enough to keep.

What is told to others is always whole. What stays in memory is cut, because one result may be many megabytes and a
session may have thousands of them; the transcript has the rest, at the event's `source`.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, Generic, TypeVar

from agentdeck import events as e

T = TypeVar("T")

LONGEST_TEXT: Final = 20_000
"""Characters kept of a message."""

LONGEST_OUTPUT: Final = 20_000
"""Characters kept of a call's result, and of a diff."""

LONGEST_INPUT: Final = 20_000
"""Characters kept of a call's input, roughly."""

LONGEST_NAME: Final = 1000
"""Characters kept of a path or a name."""

MOST_FILES: Final = 100
"""Changed files kept of one call."""

_DEEPEST: Final = 4
"""Tables in tables that are kept of an input that has to be cut."""

CUT: Final = "…"
"""Ends a text that was cut."""

_PART: Final = 8


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

    def shrink(self, most: int, room: int) -> None:
        """Keep only the newest, of so many and of so many characters in all."""
        self._drop(most, room)

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
        """Characters held, as they were told when the items came."""
        return self._used

    def _drop(self, most: int, room: int) -> None:
        while len(self._items) > most or (self._used > room and len(self._items) > 1):
            _, size = self._items.popleft()
            self._used -= size


class Waiting(Generic[T]):
    """What waits for its other half, by call. The oldest go when there are too many or they are too large."""

    def __init__(self, most: int, room: int) -> None:
        self._most = most
        self._room = room
        self._items: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self._used = 0

    def put(self, call: str, item: T, size: int) -> list[T]:
        """Add one as the newest; return those that had to go, and the one that this call had."""
        gone = [before] if (before := self.pop(call)) is not None else []
        self._items[call] = item, size
        self._used += size
        while len(self._items) > self._most or (self._used > self._room and len(self._items) > 1):
            _, (oldest, freed) = self._items.popitem(last=False)
            self._used -= freed
            gone.append(oldest)
        return gone

    def get(self, call: str) -> T | None:
        item, _ = self._items.get(call, (None, 0))
        return item

    def pop(self, call: str) -> T | None:
        item, size = self._items.pop(call, (None, 0))
        self._used -= size
        return item

    def values(self) -> list[T]:
        """Return all, oldest first."""
        return [item for item, _ in self._items.values()]

    def clear(self) -> list[T]:
        """Give up all; return them, oldest first."""
        gone, self._used = self.values(), 0
        self._items.clear()
        return gone

    def __len__(self) -> int:
        return len(self._items)

    @property
    def size(self) -> int:
        return self._used


def short_message(event: e.MessageAdded) -> e.MessageAdded:
    return event if len(event.text) <= LONGEST_TEXT else replace(event, text=cut(event.text, LONGEST_TEXT))


def short_use(event: e.ToolUsed) -> e.ToolUsed:
    return event if characters(event.input) <= LONGEST_INPUT else replace(event, input=_Cutter().table(event.input, 0))


def short_result(event: e.ToolReturned) -> e.ToolReturned:
    used = short_use(event.used) if event.used is not None else None
    is_short = len(event.output) <= LONGEST_OUTPUT and not event.files
    if is_short and used is event.used:
        return event
    room, files = LONGEST_OUTPUT, list[e.FileChange]()
    for change in event.files[:MOST_FILES]:
        files.append(replace(change, path=cut(change.path, LONGEST_NAME), diff=cut(change.diff, room)))
        room -= len(files[-1].diff)
    return replace(event, output=cut(event.output, LONGEST_OUTPUT), files=tuple(files), used=used)


def weight(event: e.ToolUsed | e.ToolReturned) -> int:
    """Return about how many characters a call, or a result with its call, holds."""
    if isinstance(event, e.ToolUsed):
        return characters(event.input)
    changes = sum(len(change.path) + len(change.diff) for change in event.files)
    return len(event.output) + changes + (characters(event.used.input) if event.used is not None else 0)


def characters(value: object) -> int:
    """Return the characters in a JSON value, with a few for each of its parts, however deep it is."""
    total, waiting = 0, [value]
    while waiting:
        part = waiting.pop()
        total += _PART
        if isinstance(part, str):
            total += len(part)
        elif isinstance(part, dict):
            total += sum(map(len, part))
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return total


def cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: max(0, longest - len(CUT))] + CUT


class _Cutter:
    """Copies the beginning of an input, until its room is used up."""

    def __init__(self) -> None:
        self._room = LONGEST_INPUT

    def table(self, table: dict[str, object], depth: int) -> dict[str, object]:
        short: dict[str, object] = {}
        for name, value in table.items():
            if self._room <= 0:
                break
            self._room -= len(name)
            short[cut(name, LONGEST_NAME)] = self._value(value, depth)
        return short

    def _value(self, value: object, depth: int) -> object:
        self._room -= _PART
        if isinstance(value, str):
            short = cut(value, max(1, self._room))
            self._room -= len(short)
            return short
        if isinstance(value, dict | list) and depth >= _DEEPEST:
            return CUT
        if isinstance(value, dict):
            return self.table(value, depth + 1)
        if isinstance(value, list):
            parts: list[object] = []
            for part in value:
                if self._room <= 0:
                    break
                parts.append(self._value(part, depth + 1))
            return parts
        return value
