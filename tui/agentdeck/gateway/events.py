"""Server-sent events: a shared session for `curl`, scripts and followers. The messages are those of the socket."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from agentdeck.gateway.house import House
from agentdeck.gateway.shared import RECENT, Cursor, Note, SharedSession, note
from agentdeck.protocol import gateway as g
from agentdeck.protocol import viewers as v

PING: Final = 15.0
"""Seconds between two comments, so that whatever is in between keeps the connection."""

RETRY: Final = 2000
"""Milliseconds after which a browser comes back."""


class Follower:
    """A viewer whose connection pulls: it is woken, and takes what it lacks when it can."""

    def __init__(self, grant: g.Grant) -> None:
        self.grant = grant
        self.closing: tuple[str, str] | None = None
        self.news = asyncio.Event()
        self.personal: list[Note] = []

    def pump(self) -> None:
        self.news.set()

    def tell(self, note: Note) -> None:
        if len(self.personal) < 50:
            self.personal.append(note)
        self.news.set()

    def regrant(self, grant: g.Grant) -> None:
        self.grant = grant

    def end(self, code: str, text: str) -> None:
        self.closing = self.closing or (code, text)
        self.news.set()


def written(note: Note) -> bytes:
    """One message in the form of an event stream."""
    number = b"id: %d\n" % note.seq if note.seq else b""
    return b"%sevent: %s\ndata: %s\n\n" % (number, note.kind.encode(), note.text)


async def stream(house: House, shared: SharedSession, grant: g.Grant, since: int | None) -> AsyncIterator[bytes]:
    follower = Follower(grant)
    house.enter(shared, follower)
    try:
        yield b"retry: %d\n\n" % RETRY
        cursor = Cursor(seq=since if since is not None and since <= shared.last_seq else shared.last_seq - RECENT)
        cursor = Cursor(max(0, cursor.seq), *shared.newest[1:])
        yield written(shared.snapshot())
        while cursor.seq < shared.oldest - 1 and follower.closing is None:
            page = await house.log(shared.facts.share, cursor.seq, 200)
            if not page.messages:
                break
            for event in page.messages:
                yield written(Note(event.t, event.seq, msgspec.json.encode(event)))
            cursor = cursor._replace(seq=page.messages[-1].seq)
        while follower.closing is None:
            packet = shared.lacks(cursor)
            if packet is None:
                follower.end("SLOW_CONSUMER", "")
                break
            personal, follower.personal = follower.personal, []
            cursor = packet.cursor
            if packet.notes or personal:
                yield b"".join(map(written, (*packet.notes, *personal)))
                continue
            follower.news.clear()
            try:
                await asyncio.wait_for(follower.news.wait(), PING)
            except TimeoutError:
                yield b": ping\n\n"
        code, text = follower.closing or ("ENDED", "")
        yield written(note("ended", msgspec.json.encode(v.Ended(code=code, text=text or v.CODE[code].about))))
    finally:
        house.leave(shared, follower)
