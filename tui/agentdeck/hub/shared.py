"""One shared session inside the hub: everything that leaves passes here, redacted and only while the list allows it.

It looks at the session as any client does, through a peer of its own, and hands finished messages to the gateway. What
guests want is judged by the room, stored, and only then done. One thing at a time, in order.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from agentdeck.errors import AgentdeckError
from agentdeck.hub.facts import FactsDesk
from agentdeck.hub.guests import GuestQueue
from agentdeck.hub.peer import Peer, ScreenView
from agentdeck.hub.session import LiveSession
from agentdeck.hub.share_figures import figures
from agentdeck.hub.share_store import ShareStore
from agentdeck.protocol import facts as f
from agentdeck.protocol import gateway as g
from agentdeck.protocol import messages as m
from agentdeck.protocol import queue as q
from agentdeck.protocol import viewers as v
from agentdeck.protocol.screen import Row
from agentdeck.share import known, tokens
from agentdeck.share.log import Draft, DuplicateError
from agentdeck.share.redact import Redactor
from agentdeck.share.refusal import RefusedError
from agentdeck.share.room import Change, Person, Room
from agentdeck.share.rows import ABOVE, Twin

PACE: Final = 1 / 20
"""Seconds between two frames."""

SETTLE: Final = 0.2
"""Seconds for which figures, people and queues are collected before they are told."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What a shared session needs of the hub."""

    send: Callable[[g.FromHub], None]
    allowed: Callable[["SharedRoom"], bool]
    """Looks at the list now; when it says no, the share has ended already."""
    roles: Callable[["SharedRoom"], tuple[str, ...]]
    """Which roles the list allows in it."""
    store: ShareStore
    facts: FactsDesk
    session: Callable[[str], LiveSession | None]
    people: Callable[["SharedRoom"], None]
    """What its owner sees of the share has changed."""
    told: Callable[["SharedRoom", Sequence[v.Envelope]], None]
    """These events were stored."""
    secrets: Callable[[], Iterable[str]]
    env: dict[str, str]


class Tap(Peer):
    """The peer through which a shared session is looked at."""

    def __init__(self, take: Callable[[m.AnyReply], None], writable: Callable[[], bool]) -> None:
        super().__init__(lambda peer, request: None, lambda peer: None)
        self._take = take
        self._may_write = writable

    def send(self, message: m.AnyReply) -> None:
        self._take(message)

    @property
    def writable(self) -> bool:
        return self._may_write()

    @writable.setter
    def writable(self, value: bool) -> None:
        pass


class SharedRoom:
    def __init__(
        self, room: Room, key: str, outside: Outside, guests: GuestQueue, writable: Callable[[], bool]
    ) -> None:
        self.room = room
        self.key = key
        """Our id of the session, or `provider:id`."""
        self.guests = guests
        self.tap = Tap(self._hear, writable)
        self.secret = ""
        """Of the first link; known only to the hub that made it."""
        self.first_invite = ""
        self.code = ""
        self.code_invite = ""
        self.last_seq = 0
        self.problem = ""
        self.closed = False
        self.ended_at: float | None = None
        """When the session's program ended."""
        self.last_viewer = time.monotonic()
        self.told_at = 0.0
        """When figures were looked at last."""
        self._out = outside
        self._lock = asyncio.Lock()
        self._redactor = Redactor()
        self._twin = Twin(self._redactor)
        self._marks: object = None
        self._state = ""
        self._feed_at = 0.0
        """The time of the newest line of the feed that is in the log."""
        self._told: dict[str, bytes] = {}
        self._telling: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def share(self) -> str:
        return self.room.facts.share

    # ── begin and end ──────────────────────────────────────────────────────────────────────────

    async def begin(self, last_seq: int) -> None:
        """Look at the session from now on. The gateway has been told that it exists."""
        self.last_seq = last_seq
        if last_seq:
            newest = await self._out.store.read(self.share, max(0, last_seq - 500), 500, ("feed",))
            self._feed_at = max((msgspec.json.decode(e.d, type=v.Feed).at for e in newest), default=0.0)
        self.look_for_secrets()
        self._out.facts.answer(self.tap, f.WatchFacts())
        lines = self._out.facts.answer(self.tap, f.FollowFeed(key=self.key))
        if isinstance(lines, f.FeedLines):
            self._hear(lines)
        self.guests.begin()
        self.session_changed()
        self.show()

    def show(self) -> None:
        """Send the whole screen and all figures, to a gateway that has none."""
        self._twin = Twin(self._redactor)
        self._told.clear()
        self.tap.views.clear()
        session = self._out.session(self.key)
        if session is not None:
            self.tap.views[session.info.id] = ScreenView(PACE)
            session.painter.touch()
        self._tell_now()

    def stop(self) -> None:
        """Look no more. Everything that waits to be told is dropped."""
        self.closed = True
        self.tap.views.clear()
        self._out.facts.gone(self.tap)
        self.guests.stop()
        if self._telling is not None:
            self._telling.cancel()
        for task in tuple(self._tasks):
            task.cancel()

    def opened(self) -> g.Opened:
        facts, session = self.room.facts, self._out.session(self.key)
        return g.Opened(
            share=facts.share,
            epoch=facts.epoch,
            session=self._redactor.text(session.info.name if session is not None else self.key),
            provider=session.info.provider if session is not None else self.key.partition(":")[0],
            provider_session=facts.provider_session,
            role=facts.role,
            expires_at=facts.expires_at,
            last_seq=self.last_seq,
            grants=tuple(self.room.grant(person) for person in self.room.here),
        )

    def look_for_secrets(self) -> None:
        """Learn the known values again if a file that has them has changed; the screen is then redacted anew."""
        session = self._out.session(self.key)
        directory = session.info.cwd if session is not None else self._directory()
        environments = [session.env, known.environment_of(session.info.pid)] if session is not None else []
        marks = (known.marks_of(known.env_files(directory)), tuple(map(len, environments)))
        if marks != self._marks:
            self._marks = marks
            self._redactor = known.redactor(environments, directory, self._out.secrets(), self._out.env)
            if self._told:
                self.show()

    def _directory(self) -> str:
        live = self._out.facts.live(self.key)
        return live.cwd if live is not None else "/"

    # ── what leaves ────────────────────────────────────────────────────────────────────────────

    def _hear(self, message: m.AnyReply) -> None:
        match message:
            case m.Screen():
                self._draw(message)
            case f.FeedLines() if message.key == self.key:
                self._feed(message.lines)
            case f.FactsChanged() if any(each.key == self.key for each in message.facts):
                self.tell_soon()
            case q.Queues():
                self.guests.hear(message)
            case _:
                pass

    def _draw(self, screen: m.Screen) -> None:
        if not self._out.allowed(self):
            return
        frame = self._twin.take(screen.frame, self._above(screen))
        self._out.send(g.Drawn(share=self.share, frame=msgspec.structs.replace(frame, session="")))

    def _above(self, screen: m.Screen) -> Sequence[Row]:
        session = self._out.session(self.key)
        if session is None or screen.frame.modes.alternate or not session.emulator.history:
            return ()
        total = session.emulator.history
        return session.emulator.history_rows(max(0, total - ABOVE), min(total, ABOVE))

    def _feed(self, lines: Sequence[f.FeedLine]) -> None:
        text = self._redactor.text
        drafts = []
        for line in lines:
            if line.status != "ok" and line.at <= self._feed_at and not line.call:
                continue  # an earlier hub has told it
            told = v.Feed(
                n=line.n, at=line.at, kind=line.kind, title=text(line.title), text=text(line.text), status=line.status,
                seconds=line.seconds, tokens=line.tokens, agent=line.agent, added=line.added, removed=line.removed,
            )  # fmt: skip
            drafts.append(Draft("feed", line.at, "session", msgspec.json.encode(told)))
        if drafts:
            self.later(self.store(Change(drafts=drafts)))

    def session_changed(self) -> None:
        """The session's own facts have changed."""
        session = self._out.session(self.key)
        if session is None or self.closed:
            return
        info = session.info
        self.ended_at = (self.ended_at or time.monotonic()) if info.ended is not None else None
        if info.state != self._state:
            self._state = info.state
            status = v.Status(state=info.state, why=self._redactor.text(info.why), since=info.since)
            draft = Draft("status", time.time(), "session", msgspec.json.encode(status))
            self.later(self.store(Change(drafts=[draft])))
        self.guests.consider()
        self.tell_soon()

    def tell_soon(self) -> None:
        if self._telling is None and not self.closed:
            self._telling = asyncio.get_running_loop().call_later(SETTLE, self._tell_now)

    def _tell_now(self) -> None:
        self._telling, self.told_at = None, time.monotonic()
        if self.closed or not self._out.allowed(self):
            return
        bodies: dict[str, msgspec.Struct | None] = {
            "presence": self.room.presence(),
            "queue": self.room.queue(busy=self.guests.busy, waits_for=self.guests.waits_for),
            **figures(self._out.session(self.key), self._out.facts, self.key, self._redactor.text),
        }
        for kind, body in bodies.items():
            text = msgspec.json.encode(body)
            if body is not None and self._told.get(kind) != text:
                self._told[kind] = text
                self._out.send(g.Told(share=self.share, kind=kind, body=text))
        self._out.people(self)

    async def store(self, change: Change) -> list[v.Envelope]:
        """Store what follows from something, make it so, and tell it. Raises `RefusedError`, `DuplicateError`."""
        async with self._lock:
            return await self._store(change)

    async def _store(self, change: Change) -> list[v.Envelope]:
        events = await self._out.store.append(self.share, change.drafts, change.items())
        before = {person.id: self.room.people.get(person.id) for person in change.people}
        self.room.apply(change)
        for person in change.people:
            self._tell_person(before[person.id], person)
        if events:
            self.last_seq = events[-1].seq
            if self._out.allowed(self):
                self._out.send(g.Logged(share=self.share, events=tuple(map(written, events))))
                self._out.told(self, events)
        self.tell_soon()
        return events

    def _tell_person(self, before: Person | None, person: Person) -> None:
        if person.gone:
            code = "FORBIDDEN" if person.gone == "denied" else "REVOKED"
            self._out.send(g.Removed(share=self.share, participant=person.id, code=code))
        elif before is None or before != person:
            self._out.send(g.Granted(share=self.share, grant=self.room.grant(person)))

    # ── what people want ───────────────────────────────────────────────────────────────────────

    async def let_in(self, ask: g.AskJoin | g.AskCode) -> v.Joined:
        """Raises `RefusedError`."""
        async with self._lock:
            code = isinstance(ask, g.AskCode)
            secret = ask.code if isinstance(ask, g.AskCode) else ask.secret
            change = self.room.join(secret, ask.name, ask.address, ask.token, ask.csrf, code=code)
            if not self._out.allowed(self):
                raise RefusedError("ENDED")
            await self._store(change)
        person = change.people[0]
        return v.Joined(
            share=self.share, participant=person.id, role=person.role, name=person.name, csrf="",
            expires_at=self.room.facts.expires_at, pending=person.pending, words=person.words if person.pending else "",
        )  # fmt: skip

    async def want(self, wants: g.Wants) -> v.Echo:
        """Raises `RefusedError`."""
        if not self._out.allowed(self):
            raise RefusedError("ENDED")
        person, kind, key = wants.participant, wants.kind, wants.key
        async with self._lock:
            change = self.room.judge(person, kind, wants.body, key)
            if self.room.people[person].role not in self._out.roles(self):
                raise RefusedError("FORBIDDEN", "the list of what is shared does not allow this role")
            try:
                events = await self._store(change)
            except DuplicateError as duplicate:
                item = f"{person}.{key}" if kind == "command" else ""
                return v.Echo(
                    ref=key, seq=duplicate.seq, duplicate=True, item=item, position=self.room.prompts.position(item)
                )
        seq = events[-1].seq if events else 0
        match kind:
            case "command":
                assert change.prompt is not None
                position = self.guests.add(change.prompt)
                return v.Echo(ref=key, seq=seq, item=change.prompt.id, position=position)
            case "cancel":
                await self.guests.cancel(msgspec.json.decode(wants.body, type=v.Cancel).item, by=person)
            case "interrupt":
                await self.guests.interrupt()
            case "resume":
                self.guests.pause(False)
            case "keys":
                self._press(msgspec.json.decode(wants.body, type=v.Keys).data)
            case "typing":
                body = msgspec.structs.replace(msgspec.json.decode(wants.body, type=v.Typing), participant=person)
                told = g.Told(share=self.share, kind="typing", body=msgspec.json.encode(body), by=person)
                self._out.send(told)
        return v.Echo(ref=key, seq=seq)

    def _press(self, keys: str) -> None:
        session = self._out.session(self.key)
        if session is None or not session.running:
            raise RefusedError("UNAVAILABLE", "the session has ended")
        session.write(keys.encode("utf-8", "surrogatepass"))

    def online(self, person: str, sockets: int) -> None:
        if sockets:
            self.room.online[person] = sockets
            self.room.prompts.came(person)
        else:
            self.room.online.pop(person, None)
            self.room.prompts.left(person, time.monotonic())
        self.last_viewer = time.monotonic()
        self.tell_soon()

    # ── for its owner ──────────────────────────────────────────────────────────────────────────

    async def invite(
        self, role: str, *, seconds: float, max_uses: int, code: bool, approve: bool
    ) -> tuple[str, str, float]:  # fmt: skip
        """Make an invite; return the secret or code, the invite's id and when it expires. Raises `RefusedError`."""
        secret = tokens.new_code() if code else tokens.new_secret()
        kept = tokens.hashed(tokens.normalised(secret) if code else secret)
        change = self.room.invite(role, kept, seconds=seconds, max_uses=max_uses, code=code, approve=approve)
        await self.store(change)
        return secret, change.invites[0].id, change.invites[0].expires_at

    def later(self, work: Awaitable[Any]) -> None:
        """Do something in the background; what the store refuses is a problem that the owner is told."""
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Awaitable[Any]) -> None:
        try:
            await work
        except (RefusedError, AgentdeckError) as error:
            self.problem = str(error)
            self._out.people(self)
        except DuplicateError:
            pass


def written(event: v.Envelope) -> g.Event:
    return g.Event(event.seq, event.t, msgspec.json.encode(event))
