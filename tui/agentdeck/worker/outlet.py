"""What leaves the worker: frames on a pipe, whole events while they are news, short ones of the past."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from agentdeck import events_wire
from agentdeck.events import AnyEvent, MessageAdded, ToolReturned, ToolUsed
from agentdeck.live.kept import short_message, short_result, short_use
from agentdeck.protocol.worker import Told
from agentdeck.worker.pipe import Pipe

FRAME_EVENTS: Final = 200
FRAME_BYTES: Final = 64 * 1024
"""A frame is sent when it has so many events, or so many bytes."""

STALE: Final = 300.0
"""Seconds after which something that had happened while nobody followed is the past: nobody should act on it."""

HISTORY_EVENTS: Final = 2000
"""Of one transcript; older ones are left out."""

HISTORY_TRANSCRIPTS: Final = 500


class Outlet:
    """Tells events on a pipe; `now` is the clock in unix seconds."""

    def __init__(self, pipe: Pipe, *, now: Callable[[], float] = time.time) -> None:
        self.pipe = pipe
        self.write = pipe.write
        self._now = now

    def tell(self, events: Iterable[AnyEvent], *, history: bool = False) -> None:
        """Tell events in their order; what is old by now is told as history."""
        stale = self._now() - STALE
        some: list[bytes] = []
        size, was_past = 0, history
        for event in events:
            is_past = history or event.at.timestamp() < stale
            try:
                data = events_wire.encode(short(event) if is_past else event)
            except (OverflowError, UnicodeEncodeError, RecursionError):  # numbers and texts that msgpack cannot hold
                continue
            if some and (len(some) >= FRAME_EVENTS or size >= FRAME_BYTES or is_past != was_past):
                self.write(Told(some, was_past))
                some, size = [], 0
            some.append(data)
            size += len(data)
            was_past = is_past
        if some:
            self.write(Told(some, was_past))


def short(event: AnyEvent) -> AnyEvent:
    """An event with its long texts cut: the transcript has them."""
    match event:
        case MessageAdded():
            return short_message(event)
        case ToolUsed():
            return short_use(event)
        case ToolReturned():
            return short_result(event)
    return event


class History:
    """What sessions said before, cut to the last events of each transcript, newest sessions first."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._path = ""
        self._events: deque[AnyEvent] = deque(maxlen=HISTORY_EVENTS)
        self._transcripts = 0

    def add(self, events: list[AnyEvent]) -> None:
        path = events[0].source.path if events and events[0].source is not None else ""
        if path != self._path:
            self.flush()
            self._path = path
            self._transcripts += 1
        if self._transcripts <= HISTORY_TRANSCRIPTS:
            self._events.extend(map(short, events))

    def flush(self) -> None:
        if self._events:
            self._outlet.tell(self._events, history=True)
            self._events.clear()
