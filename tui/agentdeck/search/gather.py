"""Bring the index up to date with the transcripts, newest first, a slice at a time.

Each slice is committed together with the places that it came to, so that a killed run has lost one slice and repeats
nothing. A transcript that only grew is read on; one that was rewritten or replaced is read anew.
"""

import contextlib
import os
import stat
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec
import zstandard

from agentdeck.events import AnyEvent, SessionStarted, Source
from agentdeck.search.index import Index, Indexed
from agentdeck.search.passages import SPOKEN, Passage, clean, passages
from agentdeck.transcripts.cursor import CursorParser
from agentdeck.transcripts.parse import PARSERS, Parser
from agentdeck.transcripts.roots import Found, Root, resolved, transcripts
from agentdeck.transcripts.tail import Position, Tail

SLICE: Final = 1.0
"""Seconds of work that are committed together."""

CHUNK: Final = 4 * 1024 * 1024

DOCUMENT_LIMIT: Final = 256 * 1024 * 1024
"""Bytes of a document, unpacked, that are read."""

FORGETFUL: Final = frozenset(("claude", "cursor"))
"""Agents whose lines can be understood without those before them."""

MOST_WASTE: Final = 0.5
"""When more of the index leads nowhere it is made anew."""

_position = msgspec.msgpack.Decoder(Position).decode


class Progress(msgspec.Struct, frozen=True):
    """How far an update is: transcripts that were read, of those that had to be."""

    done: int
    of: int


def update(index: Index, roots: Iterable[Root], *, slice: float = SLICE) -> Iterator[Progress]:
    """Work; yield after each slice, when all of it is committed. Stop whenever you like."""
    known = index.files()
    found: dict[bytes, Found] = {}
    for root in resolved(roots):
        found.update((each.path, each) for each in transcripts(root))
    lost = [known[path].id for path in known.keys() - found.keys()]
    if lost:
        with index.writing():
            for file in lost:
                index.remove(file)
    changed = [each for each in found.values() if not _same(each, known.get(each.path))]
    changed.sort(key=lambda each: -each.changed)
    yield Progress(0, len(changed))
    work = _reading(index, changed)
    done, goes_on = 0, bool(changed)
    while goes_on:
        until = time.monotonic() + slice
        with index.writing():
            goes_on = False
            for finished in work:
                done += finished
                if time.monotonic() >= until:
                    goes_on = True
                    break
        yield Progress(done, len(changed))
    if lost and index.waste > MOST_WASTE:
        index.clear()
        yield from update(index, roots, slice=slice)


def _reading(index: Index, files: Iterable[Found]) -> Iterator[bool]:
    """Read the files, chunk by chunk; yield whether one is finished."""
    for found in files:
        file = index.file(found.path, found.agent)
        if found.path.endswith((b".json", b".zst")):
            events = document(found)
            if events is not None:
                index.drop(file.id)
                _keep(index, _fresh(file), events, found)
            yield True
            continue
        yield from _lines(index, file, found)
        yield True


def _lines(index: Index, file: Indexed, found: Found) -> Iterator[bool]:
    place = _position(file.position) if file.position else None
    parser, name = parser_for(found.agent, found.path, found.changed), os.fsdecode(found.path)
    tail = Tail(found.path, place)
    if place is not None and found.agent not in FORGETFUL and not tail.look(0).reset:
        _catch_up(parser, found.path, place.offset)
    more = True
    while more:
        look = tail.look(CHUNK)
        if look.problem:
            return
        if look.reset:
            index.drop(file.id)
            file, parser = _fresh(file), parser_for(found.agent, found.path, found.changed)
        events: list[AnyEvent] = []
        for offset, line in look.lines:
            events += parser.feed(line, Source(path=name, offset=offset))
        more = look.more
        seen = found if not more else found._replace(size=-1)
        file = _keep(index, file, events, seen, msgspec.msgpack.encode(tail.position))
        if more:
            yield False


def _catch_up(parser: Parser, path: bytes, until: int) -> None:
    """Let a parser see what was read in an earlier life."""
    tail, more = Tail(path), True
    while more:
        look = tail.look(CHUNK)
        for offset, line in look.lines:
            if offset >= until:
                return
            parser.feed(line, Source(path="", offset=offset))
        more = look.more


def _keep(index: Index, file: Indexed, events: list[AnyEvent], found: Found, position: bytes = b"") -> Indexed:
    session, project, turn = file.session, file.project, file.turn
    for event in events:
        session = session or event.session
        if isinstance(event, SessionStarted):
            project = project or event.cwd
    counted: list[tuple[Passage, int]] = []
    for passage in passages(events):
        turn += not passage.agent and passage.role in SPOKEN and not passage.text.isspace()
        counted.append((passage, -1 if passage.agent else turn - 1))
    counted.sort(key=lambda each: each[0].at)  # rows in the order of their numbers are written much faster
    file = file._replace(
        device=found.device,
        inode=found.inode,
        size=found.size,
        changed=found.changed,
        position=position,
        session=clean(session),
        project=clean(project),
        turn=turn,
        passages=index.add(file.id, counted, file.passages),
    )
    index.save(file)
    return file


def document(found: Found) -> list[AnyEvent] | None:
    """All events of a transcript that is one document or compressed; None when it cannot be read."""
    try:
        fd = os.open(found.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return None
    name, parser = os.fsdecode(found.path), parser_for(found.agent, found.path, found.changed)
    with open(fd, "rb") as raw:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        if not found.path.endswith(b".zst"):
            return parser.feed(raw.read(DOCUMENT_LIMIT), Source(path=name, offset=0))
        events: list[AnyEvent] = []
        with (
            contextlib.suppress(zstandard.ZstdError),
            zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as plain,
        ):
            offset = 0
            for line in plain.read(DOCUMENT_LIMIT).split(b"\n"):
                events += parser.feed(line, Source(path=name, offset=offset))
                offset += len(line) + 1
        return events


def parser_for(agent: str, path: bytes, changed: int) -> Parser:
    """A parser of one transcript; where records have no time, that of its last change has to do."""
    name = os.fsdecode(path)
    if agent == "cursor":
        return CursorParser(name, now=lambda: datetime.fromtimestamp(changed / 1e9, UTC))
    return PARSERS[agent](name)


def _same(found: Found, known: Indexed | None) -> bool:
    return known is not None and (found.device, found.inode, found.size, found.changed) == known[3:7]


def _fresh(file: Indexed) -> Indexed:
    return Indexed(file.id, file.path, file.agent, 0, 0, -1, 0, b"", "", "", 0, file.passages)
