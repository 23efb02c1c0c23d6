"""One shared session inside the gateway: what its viewers have in common, encoded once for all of them.

A viewer is a cursor into three things: the log (must arrive, in order), the newest values (latest wins) and the screen
(latest wins). What somebody lacks follows from the cursor alone, so one that is slow costs nothing but its last
unsent packet, and everybody in step gets the very same bytes.
"""

import time
from collections import deque
from typing import Final, NamedTuple, Protocol

import msgspec

from agentdeck.protocol import gateway as g
from agentdeck.protocol import viewers as v
from agentdeck.share.canvas import Canvas

RING_EVENTS: Final = 2000
RING_BYTES: Final = 4 * 1024 * 1024
"""Of the log, kept here for those who come back; older ones are asked of the hub."""

PACKET: Final = 64 * 1024
"""Bytes of events that are sent at once; the rest follows when they have been taken."""

RECENT: Final = 200
"""Events that somebody gets who comes for the first time."""

_EMPTY: Final = {
    "status": msgspec.json.encode(v.Status(state="unknown")),
    "session_data_update": msgspec.json.encode(v.DataUpdate()),
    "session_usage_update": b"null",
    "session_health_update": b"null",
    "session_file_update": msgspec.json.encode(v.FileUpdate(files=())),
    "presence": msgspec.json.encode(v.Presence(participants=())),
    "queue": msgspec.json.encode(v.Queue(items=())),
}
_IN_SNAPSHOT: Final = {
    "status": "status",
    "data": "session_data_update",
    "usage": "session_usage_update",
    "health": "session_health_update",
    "files": "session_file_update",
    "presence": "presence",
    "queue": "queue",
}


class Note(NamedTuple):
    """One message to a viewer, as JSON."""

    kind: str
    seq: int
    text: bytes


class Cursor(NamedTuple):
    """What somebody has been sent."""

    seq: int = 0
    version: int = 0
    tseq: int = 0


class Packet(NamedTuple):
    """What somebody lacks, where they are with it, and the same as frames for a socket."""

    notes: list[Note]
    cursor: Cursor
    frames: bytes


class Viewer(Protocol):
    """Somebody's open connection."""

    grant: g.Grant

    def regrant(self, grant: g.Grant) -> None:
        """Their rights are these from now on."""

    def pump(self) -> None:
        """Send what is new, unless the connection is still busy with what was sent before."""

    def tell(self, note: Note) -> None:
        """Send one message that is for this viewer alone."""

    def end(self, code: str, text: str) -> None:
        """Say why, and close."""


def note(kind: str, body: bytes, *, seq: int = 0, by: str = "") -> Note:
    envelope = v.Envelope(v=v.VERSION, t=kind, seq=seq, ts=time.time(), by=by, d=msgspec.Raw(body))
    return Note(kind, seq, msgspec.json.encode(envelope))


def framed(text: bytes) -> bytes:
    """A WebSocket text frame, as a server sends it."""
    size = len(text)
    if size < 126:
        head = bytes((0x81, size))
    elif size < 65536:
        head = b"\x81\x7e" + size.to_bytes(2, "big")
    else:
        head = b"\x81\x7f" + size.to_bytes(8, "big")
    return head + text


class SharedSession:
    def __init__(self, opened: g.Opened) -> None:
        self.facts = opened
        self.canvas = Canvas()
        self.viewers: set[Viewer] = set()
        self.grants: dict[str, g.Grant] = {}
        """By the hash of their token."""
        self.last_seq = opened.last_seq
        self.servers = opened.servers
        """The doors by which it may be reached, besides from this machine."""
        self._tokens: dict[str, str] = {}
        self._ring: deque[Note] = deque()
        self._ring_bytes = 0
        self._newest: dict[str, tuple[int, bytes]] = {}
        """Version and body of each kind that is not durable."""
        self._version = 0
        self._made: dict[Cursor, Packet] = {}
        self._snapshot: Note | None = None
        for grant in opened.grants:
            self.grant(grant)

    # ── people ─────────────────────────────────────────────────────────────────────────────────

    def grant(self, grant: g.Grant) -> g.Grant | None:
        """Somebody's rights are these now; return those they had."""
        before = self.grants.get(self._tokens.get(grant.participant, ""))
        self._tokens[grant.participant] = grant.token
        self.grants[grant.token] = grant
        for viewer in self.viewers_of(grant.participant):
            viewer.regrant(grant)
        return before

    def remove(self, participant: str, code: str, text: str) -> None:
        token = self._tokens.pop(participant, "")
        self.grants.pop(token, None)
        for viewer in self.viewers_of(participant):
            viewer.end(code, text)

    def viewers_of(self, participant: str) -> list[Viewer]:
        return [viewer for viewer in self.viewers if viewer.grant.participant == participant]

    # ── what is new ────────────────────────────────────────────────────────────────────────────

    def log(self, events: tuple[g.Event, ...]) -> None:
        for event in events:
            if event.seq <= self.last_seq and self._ring and event.seq <= self._ring[-1].seq:
                continue
            kept = Note(event.kind, event.seq, event.text)
            self._ring.append(kept)
            self._ring_bytes += len(kept.text)
            self.last_seq = max(self.last_seq, event.seq)
            if event.kind == "status":
                self._newest["status"] = (0, bytes(msgspec.json.decode(event.text, type=v.Envelope).d))
        while len(self._ring) > RING_EVENTS or self._ring_bytes > RING_BYTES:
            self._ring_bytes -= len(self._ring.popleft().text)
        self._changed()

    def tell(self, told: g.Told) -> None:
        if told.to:
            for viewer in self.viewers_of(told.to):
                viewer.tell(note(told.kind, told.body, by=told.by))
        elif told.kind == "typing":
            for viewer in self.viewers:
                viewer.tell(note("typing", told.body, by=told.by))
        else:
            self._version += 1
            self._newest[told.kind] = (self._version, told.body)
            self._changed()

    def draw(self, drawn: g.Drawn) -> None:
        self.canvas.take(drawn.frame)
        self._changed()

    def _changed(self) -> None:
        self._made.clear()
        self._snapshot = None

    def pump(self) -> None:
        for viewer in tuple(self.viewers):
            viewer.pump()

    # ── for one viewer ─────────────────────────────────────────────────────────────────────────

    @property
    def oldest(self) -> int:
        """The first event that is still here; beyond the last one when there is none."""
        return self._ring[0].seq if self._ring else self.last_seq + 1

    @property
    def newest(self) -> Cursor:
        return Cursor(self.last_seq, self._version, self.canvas.tseq)

    def lacks(self, cursor: Cursor) -> Packet | None:
        """What somebody at `cursor` is to be sent next; None when the ring has lost some of it."""
        made = self._made.get(cursor)
        if made is None:
            if cursor.seq < self.oldest - 1:
                return None
            made = self._made[cursor] = self._packet(cursor)
        return made

    def _packet(self, cursor: Cursor) -> Packet:
        notes: list[Note] = []
        if cursor.seq < self.last_seq:
            size = 0
            for kept in self._ring:
                if kept.seq > cursor.seq:
                    notes.append(kept)
                    size += len(kept.text)
                    if size > PACKET:
                        return _packet(notes, cursor._replace(seq=kept.seq))
        notes += [note(kind, body) for kind, (version, body) in self._newest.items() if version > cursor.version]
        screen = self.canvas.body(cursor.tseq)
        if screen is not None:
            notes.append(note("screen", screen))
        return _packet(notes, self.newest)

    def snapshot(self) -> Note:
        """Everything that is not in the log."""
        if self._snapshot is None:
            parts = {
                name: msgspec.Raw(self._newest[kind][1] if kind in self._newest else _EMPTY[kind])
                for name, kind in _IN_SNAPSHOT.items()
            }
            screen = self.canvas.body(0)
            body = {
                "last_seq": self.last_seq,
                **parts,
                "screen": msgspec.Raw(screen or b"null"),
                "oldest_seq": self.oldest,
            }
            self._snapshot = note("snapshot", msgspec.json.encode(body))
        return self._snapshot

    def part(self, name: str) -> bytes:
        """The body of one part of the snapshot, by its field."""
        kind = _IN_SNAPSHOT[name]
        return self._newest[kind][1] if kind in self._newest else _EMPTY[kind]


def _packet(notes: list[Note], cursor: Cursor) -> Packet:
    return Packet(notes, cursor, b"".join(framed(each.text) for each in notes))
