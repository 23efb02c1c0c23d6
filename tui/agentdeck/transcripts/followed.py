"""One transcript that is being followed: its tail, its parser, and what was told of it.

Parsers know what came before, so a file is always read from its start; what is old is parsed but not told. Transcripts
that are one document, or compressed, are read as a whole whenever they change.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO, Final

import zstandard

from agentdeck.events import AnyEvent, Source
from agentdeck.transcripts.cursor import CursorParser
from agentdeck.transcripts.parse import PARSERS, Parser
from agentdeck.transcripts.positions import Place
from agentdeck.transcripts.roots import Found
from agentdeck.transcripts.tail import LINE_LIMIT, OVERSIZE, Tail
from agentdeck.transcripts.told import Told, digest

DOCUMENTS: Final = (b".json", b".zst")
"""Ends of names of transcripts that are one document or compressed."""

DOCUMENT_LIMIT: Final = 256 * 1024 * 1024
"""Bytes; a document that is longer, unpacked, is not read to its end."""

CHUNK: Final = 1024 * 1024
"""Bytes between two occasions for others to do something."""

PACKED: Final = 4 * 1024
"""Bytes of compressed data that are unpacked at once: they may be a thousand times as many then."""

RETRY: Final = 30.0
"""Seconds before a file that could not be read is tried again."""

TIMELESS: Final = frozenset(("cursor",))
"""Whose records have no time: what is old can only be told by its place."""


class Followed:
    """`place` is where an earlier reading had come to. Events up to `floor` (unix seconds) are no news."""

    def __init__(
        self,
        found: Found,
        place: Place | None,
        *,
        floor: float,
        recall: Callable[[list[AnyEvent]], None] | None,
        now: Callable[[], float],
    ) -> None:
        self.agent, self.path = found.agent, found.path
        self.name = _readable(found.path)
        self.size, self.changed = -1, found.changed
        self.grew = time.monotonic() - max(0.0, now() - found.changed / 1e9)
        """When it last grew, by the monotonic clock."""
        self.problem = ""
        self._retry_at = 0.0
        self._is_busy = False
        """A document is being read."""
        self._is_document = found.path.endswith(DOCUMENTS)
        self._tail = Tail(found.path)
        self._parser = self._new_parser()
        self._told = Told()
        self._quiet_until = 0
        self._floor = floor
        self._recall = recall
        if place is not None:
            self._take_up(place, found)

    @property
    def bad_lines(self) -> int:
        return self._parser.bad_lines

    def place(self) -> Place:
        """Where we are, for another life. What could not be read yet is not counted as told."""
        is_lines = not self._is_document and self._tail.position.offset > 0
        return Place(
            size=self.size,
            changed=self.changed,
            offset=max(self._tail.position.offset, self._quiet_until),
            position=self._tail.position if is_lines else None,
            last=self._told.last,
            latest=self._told.latest,
        )

    def read(self, chunk: int = CHUNK) -> Iterator[list[AnyEvent]]:
        """Yield what is new, chunk by chunk. Another reading may go on in between."""
        if self.problem and time.monotonic() < self._retry_at:
            return
        if self._is_document:
            if self._is_busy:
                return
            self._is_busy = True
            yield from self._read_document()
            self._is_busy = False
        else:
            yield from self._read_lines(chunk)
        if not self.problem:
            self._recall, self._quiet_until, self._floor = None, 0, 0.0

    # ── lines ──────────────────────────────────────────────────────────────────────────────────

    def _read_lines(self, chunk: int) -> Iterator[list[AnyEvent]]:
        more = True
        while more:
            look = self._tail.look(chunk)
            self._note(look.problem)
            if look.reset:
                self._begin_again()
            if seen := self._tail.seen:
                self._grown(seen.size, seen.changed)
            events: list[AnyEvent] = []
            for offset, line in look.lines:
                events += self._line(offset, line)
            yield events
            more = look.more

    def _line(self, offset: int, line: bytes) -> list[AnyEvent]:
        events = self._parser.feed(line, Source(path=self.name, offset=offset))
        if not events:
            return events
        at = 0.0 if self.agent in TIMELESS else max(event.at.timestamp() for event in events)
        mark = digest(line)
        end = offset + 1 if line is OVERSIZE else offset + len(line) + 1
        if self._told.knows(mark, offset, at):
            return self._recalled(events)
        self._told.add(mark, at)
        if end <= self._quiet_until or (at or self.changed / 1e9) <= self._floor:
            return self._recalled(events)
        return events

    def _recalled(self, events: list[AnyEvent]) -> list[AnyEvent]:
        if self._recall is not None:
            self._recall(events)
        return []

    # ── documents ──────────────────────────────────────────────────────────────────────────────

    def _read_document(self) -> Iterator[list[AnyEvent]]:
        """Feed the whole once more: a parser of documents tells what it told only once."""
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError as error:
            self._note(error.strerror or "unreadable")
            return
        with open(fd, "rb") as file:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                self._note("not a file")
                return
            if self.path.endswith(b".zst"):
                if self.size >= 0:
                    self._begin_again()
                try:
                    yield from self._unpacked(_plain(file))
                except zstandard.ZstdError:
                    self._note("its compressed data is damaged or incomplete")
                    return
            else:
                yield self._news(self._parser.feed(file.read(DOCUMENT_LIMIT), Source(path=self.name, offset=0)))
        self._note("")
        self._grown(found.st_size, found.st_mtime_ns)

    def _unpacked(self, plain: Iterator[bytes]) -> Iterator[list[AnyEvent]]:
        offset, rest = 0, b""
        for data in plain:
            if offset >= DOCUMENT_LIMIT:
                break
            *lines, rest = (rest + data).split(b"\n")
            events: list[AnyEvent] = []
            for line in lines:
                events += self._line(offset, line if len(line) <= LINE_LIMIT else OVERSIZE)
                offset += len(line) + 1
            yield events
        if rest:
            yield self._line(offset, rest)

    def _news(self, events: list[AnyEvent]) -> list[AnyEvent]:
        news = [event for event in events if event.at.timestamp() > self._floor]
        self._recalled([event for event in events if event.at.timestamp() <= self._floor])
        self._told.latest = max([self._told.latest, *(event.at.timestamp() for event in events)])
        return news

    # ── beginning ──────────────────────────────────────────────────────────────────────────────

    def _take_up(self, place: Place, found: Found) -> None:
        if self._is_document:
            self._floor = max(self._floor, place.latest)
        elif place.position is None:
            if found.size >= place.offset:
                self._quiet_until = place.offset
            else:
                self._floor = place.changed / 1e9
        elif Tail(self.path, place.position).look(0).reset:
            self._told = Told(place.last, place.latest)
            self._told.again(self._lines(), has_times=self.agent not in TIMELESS)
        else:
            self._told.latest = place.latest
            self._quiet_until = place.offset

    def _begin_again(self) -> None:
        self._parser = self._new_parser()
        if self._quiet_until:  # what an earlier life told has not all been seen yet
            self._told.complete, self._quiet_until = False, 0
        self._told.again(self._lines(), has_times=self.agent not in TIMELESS)

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """All lines of the file, beside the reading that goes on."""
        if self._is_document:
            return
        tail, more = Tail(self.path), True
        while more:
            look = tail.look(CHUNK)
            yield from look.lines
            more = look.more

    def _new_parser(self) -> Parser:
        if self.agent == "cursor":
            return CursorParser(self.name, now=lambda: datetime.fromtimestamp(self.changed / 1e9, UTC))
        return PARSERS[self.agent](self.name)

    def _grown(self, size: int, changed: int) -> None:
        if self.size >= 0 and size != self.size:
            self.grew = time.monotonic()
        self.size, self.changed = size, changed

    def _note(self, problem: str) -> None:
        self.problem = "" if problem == "gone" else problem
        if self.problem:
            self._retry_at = time.monotonic() + RETRY


def _plain(file: BinaryIO) -> Iterator[bytes]:
    """Unpack a file of any number of frames. Raises `ZstdError` also when the last one has no end."""
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    is_inside = False
    while data := file.read(PACKED):
        while data:
            is_inside = True
            yield unpacker.decompress(data)
            data = b""
            if unpacker.eof:
                data, is_inside = unpacker.unused_data, False
                unpacker = zstandard.ZstdDecompressor().decompressobj()
    if is_inside:
        raise zstandard.ZstdError("the last frame has no end")


def _readable(path: bytes) -> str:
    """A path as text that can be written anywhere; one that is not UTF-8 shows its odd bytes as \\xNN."""
    return path.decode("utf-8", "backslashreplace")
