"""What a guest knows of the room: the messages of the server, folded into one value. Pure.

Durable messages are taken once, in the order of their numbers, whatever a reconnect sends again. Another epoch means
another log: everything is forgotten. A kind that is not known, or a body that is not what it should be, is passed over.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

import msgspec

from agentdeck.join.cells import tame
from agentdeck.protocol import viewers as v

KEPT: Final = 500
"""Words and events that are kept."""

TYPING: Final = 4.0
"""Seconds after which somebody who typed does not any more."""

OWNER: Final = "owner"


_UNKNOWN: Final = v.Status(state="unknown")
_NO_DATA: Final = v.DataUpdate()
_NO_FILES: Final = v.FileUpdate(files=())
_NOBODY_HERE: Final = v.Presence(participants=())
_NO_QUEUE: Final = v.Queue(items=())


def _nothing() -> Mapping[str, float]:
    return MappingProxyType({})


def _nobody() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the talk: a word, a prompt, an interrupt, or a sentence about the share itself."""

    seq: int
    at: float
    kind: str
    """chat, command, interrupt, system, or here: something that only this side has to say."""
    by: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Room:
    share: str = ""
    epoch: str = ""
    me: str = ""
    name: str = ""
    role: str = "observer"
    hands: bool = False
    session: str = ""
    provider: str = ""
    expires_at: float = 0.0
    """By our own clock, whatever the owner's says."""
    words: str = ""
    """Of somebody who waits for the owner; empty once they are in."""
    here: bool = False
    """Whether the server has shown us the room."""
    last_seq: int = 0
    status: v.Status = _UNKNOWN
    data: v.DataUpdate = _NO_DATA
    health: v.HealthUpdate | None = None
    files: v.FileUpdate = _NO_FILES
    presence: v.Presence = _NOBODY_HERE
    queue: v.Queue = _NO_QUEUE
    feed: tuple[v.Feed, ...] = ()
    talk: tuple[Said, ...] = ()
    typing: Mapping[str, float] = field(default_factory=_nothing)
    """Who types, and until when that is believed."""
    names: Mapping[str, str] = field(default_factory=_nobody)
    """Of everybody who was ever here."""
    ended: v.Ended | None = None

    @property
    def viewers(self) -> int:
        return max(self.presence.viewers, sum(person.online for person in self.presence.participants))

    def may(self, kind: str) -> bool:
        """Whether our role lets us send a kind of message."""
        wanted = v.BY_NAME[kind]
        return v.ROLES.index(self.role) >= v.ROLES.index(wanted.role) and (self.hands or not wanted.hands)

    def typists(self, now: float) -> tuple[str, ...]:
        return tuple(self.name_of(who) for who, until in self.typing.items() if until > now and who != self.me)

    def name_of(self, who: str) -> str:
        return "you" if who == self.me and who else self.names.get(who, who)


def fold(room: Room, told: v.Envelope, now: float) -> Room:
    """The room after a message."""
    kind = v.BY_NAME.get(told.t)
    if kind is None or kind.server is None:
        return room
    if told.seq and told.seq <= room.last_seq:
        return room
    try:
        body = msgspec.json.decode(told.d, type=kind.server)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return room
    after = _taken(room, told, body, now)
    return replace(after, last_seq=told.seq) if told.seq else after


def _taken(room: Room, told: v.Envelope, body: msgspec.Struct, now: float) -> Room:
    match body:
        case v.Hello():
            return _welcomed(room, body, now)
        case v.Waiting():
            return replace(room, me=body.participant, name=body.name, words=body.words)
        case v.Snapshot():
            return _shown(room, body)
        case v.Status():
            return replace(room, status=body)
        case v.DataUpdate():
            return replace(room, data=body)
        case v.HealthUpdate():
            return replace(room, health=body)
        case v.FileUpdate():
            return replace(room, files=body)
        case v.Presence():
            return _peopled(room, body)
        case v.Queue():
            return replace(room, queue=body)
        case v.Feed():
            return replace(room, feed=_fed(room.feed, body))
        case v.RoleChanged():
            return replace(room, role=body.role if body.role in v.ROLES else room.role, hands=body.hands)
        case v.Typing():
            typing = {who: until for who, until in room.typing.items() if until > now and who != body.participant}
            return replace(room, typing=typing | ({body.participant: now + TYPING} if body.on else {}))
        case v.Ended():
            return replace(room, ended=body)
        case v.Chat() | v.Command() | v.System():
            return _said(room, told, body.text)
        case v.Interrupt():
            return _said(room, told, "interrupted the turn")
        case _:
            return room


def _welcomed(room: Room, hello: v.Hello, now: float) -> Room:
    known = room if hello.epoch == room.epoch else Room()
    ahead = now - hello.server_time if hello.server_time else 0.0
    return replace(
        known, share=hello.share, epoch=hello.epoch, me=hello.participant, name=hello.name, session=hello.session,
        role=hello.role if hello.role in v.ROLES else "observer", provider=hello.provider,
        expires_at=hello.expires_at + ahead, words="", ended=None,
        names={OWNER: OWNER, **known.names, hello.participant: hello.name},
    )  # fmt: skip


def _shown(room: Room, all_of_it: v.Snapshot) -> Room:
    shown = replace(
        room, here=True, status=all_of_it.status, data=all_of_it.data, health=all_of_it.health,
        files=all_of_it.files, queue=all_of_it.queue,
    )  # fmt: skip
    return _peopled(shown, all_of_it.presence)


def _peopled(room: Room, presence: v.Presence) -> Room:
    names = dict(room.names) | {person.id: person.name for person in presence.participants}
    mine = next((person for person in presence.participants if person.id == room.me), None)
    if mine is not None:
        room = replace(room, name=mine.name, hands=mine.hands)
    return replace(room, presence=presence, names=names)


def _fed(feed: tuple[v.Feed, ...], line: v.Feed) -> tuple[v.Feed, ...]:
    """A line that was told before is replaced where it stands."""
    for place in range(len(feed) - 1, -1, -1):
        if feed[place].n == line.n:
            return (*feed[:place], line, *feed[place + 1 :])
        if feed[place].n < line.n:
            return (*feed[: place + 1], line, *feed[place + 1 :])[-KEPT:]
    return (line, *feed)[-KEPT:]


def _said(room: Room, told: v.Envelope, text: str) -> Room:
    said = Said(told.seq, told.ts, told.t, told.by, room.names.get(told.by, told.by), tame(text))
    typing = {who: until for who, until in room.typing.items() if who != told.by}
    return replace(room, talk=(*room.talk, said)[-KEPT:], typing=typing)


def remark(room: Room, text: str, at: float) -> Room:
    """The room with a line that only this side sees."""
    return replace(room, talk=(*room.talk, Said(0, at, "here", "", "", text))[-KEPT:])
