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
from agentdeck.hub.peer import ScreenView
from agentdeck.hub.session import LiveSession
from agentdeck.hub.share_backlog import Backlog
from agentdeck.hub.share_figures import figures
from agentdeck.hub.share_list import ShareList
from agentdeck.hub.share_store import ShareStore
from agentdeck.hub.tap import Tap
from agentdeck.protocol import facts as f
from agentdeck.protocol import gateway as g
from agentdeck.protocol import messages as m
from agentdeck.protocol import queue as q
from agentdeck.protocol import viewers as v
from agentdeck.protocol.screen import Row
from agentdeck.share import known, tokens
from agentdeck.share.log import Draft, DuplicateError
from agentdeck.share.numbering import KEPT, Numbering
from agentdeck.share.redact import Redactor
from agentdeck.share.refusal import RefusedError
from agentdeck.share.room import Change, Invite, Person, Room
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
    listed: ShareList
    store: ShareStore
    facts: FactsDesk
    session: Callable[[str], LiveSession | None]
    people: Callable[["SharedRoom"], None]
    """What its owner sees of the share has changed."""
    told: Callable[["SharedRoom", Sequence[v.Envelope]], None]
    """These events were stored."""
    secrets: Callable[[], Iterable[str]]
    key: bytes
    """From which the secrets of invites are derived."""
    env: dict[str, str]


class SharedRoom:
    def __init__(
        self, room: Room, key: str, outside: Outside, guests: GuestQueue, writable: Callable[[], bool]
    ) -> None:
        self.room = room
        self.key = key
        """Our id of the session, or `provider:id`."""
        self.guests = guests
        self.tap = Tap(self._hear, writable)
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
        self._feed_numbers = Numbering()
        self._backlog = Backlog(
            lambda drafts: self.store(Change(drafts=drafts)), later=self.later, trouble=self._trouble
        )
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
            logged = await self._out.store.read(self.share, 0, KEPT, ("feed",), before=last_seq + 1)
            self._feed_numbers = Numbering(msgspec.json.decode(each.d, type=v.Feed) for each in logged)
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
            servers=self._out.listed.servers(self.share),
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
                if message.anew:
                    self._feed_numbers.anew()
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
        for line in lines:
            n = self._feed_numbers.number(line)
            if not n:
                continue  # an earlier hub has told it
            told = v.Feed(
                n=n, at=line.at, kind=line.kind, title=text(line.title), text=text(line.text), status=line.status,
                seconds=line.seconds, tokens=line.tokens, agent=line.agent, added=line.added, removed=line.removed,
            )  # fmt: skip
            self._feed_numbers.tell(line, told)
            self._backlog.add(Draft("feed", line.at, "session", msgspec.json.encode(told)))

    def _trouble(self, text: str) -> None:
        self.problem = text
        self._out.people(self)

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
            self._backlog.add(Draft("status", time.time(), "session", msgspec.json.encode(status)))
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
        if any(person.gone for person in change.people):
            self.guests.settle()
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
            if kind in ("command", "interrupt", "keys"):
                self.guests.require_running()
            if self.room.people[person].role not in self._out.listed.roles(self.share):
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
                self.guests.cancel(msgspec.json.decode(wants.body, type=v.Cancel).item, by=person)
            case "interrupt":
                self.guests.interrupt()
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
        self.guests.require_running().write(keys.encode("utf-8", "surrogatepass"))

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
        self, role: str, *, seconds: float, max_uses: int, code: bool, approve: bool, own: bool = False
    ) -> Invite:
        """Make an invite. Raises `RefusedError`."""
        name = tokens.new_id("i")
        change = self.room.invite(
            name, role, self._hashed(name, code=code), seconds=seconds, max_uses=max_uses, code=code, approve=approve,
            own=own,
        )  # fmt: skip
        await self.store(change)
        return change.invites[0]

    def secret(self, invite: Invite) -> str:
        """What lets somebody in with this invite; empty when it was made with a key that is no more."""
        make = tokens.typed_code if invite.code else tokens.link_secret
        same = tokens.same(self._hashed(invite.id, code=invite.code), invite.secret)
        return make(self._out.key, invite.id) if same else ""

    def _hashed(self, invite: str, *, code: bool) -> str:
        key = self._out.key
        return tokens.hashed(
            tokens.normalised(tokens.typed_code(key, invite)) if code else tokens.link_secret(key, invite)
        )

    @property
    def secrets(self) -> list[str]:
        """Of every invite that still lets somebody in: not to be seen on a shared screen."""
        return [self.secret(each) for each in self.room.invites.values() if not each.revoked]

    def later(self, work: Awaitable[Any]) -> None:
        """Do something in the background; what the store refuses is a problem that the owner is told."""
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Awaitable[Any]) -> None:
        try:
            await work
        except (RefusedError, AgentdeckError) as error:
            self._trouble(str(error))
        except DuplicateError:
            pass


def written(event: v.Envelope) -> g.Event:
    return g.Event(event.seq, event.t, msgspec.json.encode(event))
