"""The rooms of everything that is shared: opened, told to the gateway, ended. Sharing fails closed.

The list of what is shared is a file that its owner may edit: it is watched, and looked at again before every batch that
leaves. Ending a share takes it off the list first, then closes the sockets; a gateway that does not obey is ended.
"""

import asyncio
import contextlib
import itertools
import os
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from agentdeck.errors import AgentdeckError
from agentdeck.hub.desk import Desk
from agentdeck.hub.facts import FactsDesk
from agentdeck.hub.gateway import Gateway
from agentdeck.hub.guests import GuestQueue
from agentdeck.hub.peer import Peer
from agentdeck.hub.roster import Roster
from agentdeck.hub.session import LiveSession
from agentdeck.hub.share_store import ShareStore
from agentdeck.hub.shared import Outside, SharedRoom, written
from agentdeck.paths import Paths, make_private
from agentdeck.protocol import gateway as g
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from agentdeck.protocol import viewers as v
from agentdeck.share import clock, meeting, tokens
from agentdeck.share.allowlist import Guard, write
from agentdeck.share.log import Item
from agentdeck.share.refusal import RefusedError
from agentdeck.share.room import Facts, Room

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at what time alone ends."""

CLOSE_DEADLINE: Final = 0.8
"""Seconds for the gateway to close the sockets of a share, before it is killed."""

RETELL: Final = 10.0
"""Seconds after which figures are looked at again although nothing happened."""

AFTER_END: Final = 600.0
"""Seconds for which the share of a session that has ended goes on."""

UNWATCHED: Final = 2 * 3600.0
"""Seconds without a viewer after which a share ends by itself."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the rooms need of the hub."""

    paths: Paths
    roster: Roster
    facts: FactsDesk
    queue: Desk
    peers: set[Peer]
    later: Callable[[Coroutine[Any, Any, None]], None]
    push: Callable[[m.AnyReply], None]
    problem: Callable[[str], None]


class Shares:
    """`changed` and `said` are called with a room when its owner is to be told something."""

    def __init__(
        self, around: Around, *, changed: Callable[[SharedRoom], None],
        said: Callable[[SharedRoom, Sequence[v.Envelope]], None],
    ) -> None:  # fmt: skip
        self.rooms: dict[str, SharedRoom] = {}
        """By share."""
        self.guard = Guard(around.paths.config.with_name(meeting.LIST))
        self.now = clock.steady()
        self._around = around
        self._changed = changed
        self._said = said
        self._store: ShareStore | None = None
        self.gateway = Gateway(
            around.paths, self._take, setup=self._setup, back=self._tell_everything,
            wanted=lambda: bool(self.rooms), problem=around.problem,
        )  # fmt: skip
        self.gateway.on_writable = self._on_writable
        self._watching: asyncio.Task[None] | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._closings: dict[int, asyncio.Event] = {}
        self._numbers = itertools.count(1)
        self._tidied = 0.0
        self._owner_token = ""

    # ── its life ───────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Go on with what an earlier hub shared."""
        if self.guard.now().sessions:
            self._around.later(self._go_on())

    async def _go_on(self) -> None:
        for name, entry in tuple(self.guard.now().sessions.items()):
            session = self._around.roster.sessions.get(entry.session)
            if entry.expires_at <= self.now() or (session is None and ":" not in entry.session):
                self.unlist(entry.share)
                continue
            try:
                last, items = await self.store.load(entry.share)
                facts = next(msgspec.msgpack.decode(i.body, type=Facts) for i in items if i.kind == "facts" and i.body)
                await self.open(Room(facts, self.now, items), entry.session, last)
            except (RefusedError, AgentdeckError, StopIteration) as error:
                self._around.problem(f"{name} is not shared any more: {error}")
                self.unlist(entry.share)

    def stop(self) -> None:
        for room in self.rooms.values():
            room.stop()
            self._around.peers.discard(room.tap)
        if self._ticking is not None:
            self._ticking.cancel()
        if self._watching is not None:
            self._watching.cancel()
        self.gateway.leave()
        if self._store is not None:
            self._store.close()
            self._store = None

    def changed(self, session: LiveSession) -> None:
        for room in self.rooms.values():
            if room.key == session.info.id:
                room.session_changed()

    def _setup(self) -> g.Setup:
        if not self._owner_token:
            self._owner_token = tokens.new_secret()
            with contextlib.suppress(OSError):
                place = self._around.paths.run / meeting.TOKEN
                with contextlib.suppress(FileNotFoundError):
                    place.unlink()
                fd = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
                with open(fd, "w") as file:
                    file.write(self._owner_token)
        shares = tuple(room.share for room in self.rooms.values())
        return g.Setup(version=g.VERSION, owner_token=tokens.hashed(self._owner_token), shares=shares)

    @property
    def store(self) -> ShareStore:
        if self._store is None:
            make_private(self._around.paths.state)
            self._store = ShareStore(self._around.paths.state / "usage.db")
        return self._store

    # ── rooms ──────────────────────────────────────────────────────────────────────────────────

    async def open(self, room: Room, key: str, last_seq: int) -> SharedRoom:
        await self.gateway.ensure()
        shared: SharedRoom
        guests = GuestQueue(
            room.prompts, self._around.queue, lambda: shared.tap, session=lambda: self._around.roster.sessions.get(key),
            store=lambda items: self._keep(shared, items), tell=lambda: shared.tell_soon(),
            later=lambda work: shared.later(work),
        )  # fmt: skip
        outside = Outside(
            send=self.gateway.send, allowed=self.allowed, roles=self.roles, store=self.store, facts=self._around.facts,
            session=self._around.roster.sessions.get, people=self._changed, told=self._said, secrets=self._secrets,
            env=dict(os.environ),
        )  # fmt: skip
        shared = SharedRoom(room, key, outside, guests, lambda: self.gateway.writable)
        shared.last_seq = last_seq
        self.rooms[shared.share] = shared
        self._around.peers.add(shared.tap)
        shared.look_for_secrets()
        self.gateway.send(shared.opened())
        await shared.begin(last_seq)
        self._watch()
        return shared

    async def _keep(self, room: SharedRoom, items: list[Item]) -> None:
        await self.store.append(room.share, [], items)

    def _secrets(self) -> list[str]:
        """What of our own must not be seen on a shared screen."""
        return [secret for room in self.rooms.values() for secret in (room.secret, room.code) if secret] + (
            [self._owner_token] if self._owner_token else []
        )

    def _tell_everything(self) -> None:
        """To a gateway that was started anew."""
        for room in self.rooms.values():
            self.gateway.send(room.opened())
            room.later(self._retell(room))
            room.show()

    async def _retell(self, room: SharedRoom) -> None:
        events = await self.store.read(room.share, max(0, room.last_seq - 200), 200)
        if events and self.allowed(room):
            self.gateway.send(g.Logged(share=room.share, events=tuple(map(written, events)), old=True))

    def allowed(self, room: SharedRoom) -> bool:
        """Whether anything of this share may leave at this moment. If not, its end is on the way."""
        if room.closed or room.share not in self.rooms:
            return False
        entry = self.guard.now().entry_of(room.share)
        if (
            entry is not None
            and entry.session == room.key
            and min(entry.expires_at, room.room.facts.expires_at) > self.now()
        ):
            return True
        problem = self.guard.problem
        if problem is not None:
            self._around.push(m.Notice(text=f"nothing is shared any more: {problem}", level="error"))
            self._end_now(room, "REVOKED", "sharing was stopped")
        elif entry is not None:
            self._end_now(room, "EXPIRED", "the share has expired")
        else:
            self._end_now(room, "REVOKED", "the session was taken off the list")
        return False

    def roles(self, room: SharedRoom) -> tuple[str, ...]:
        """The roles that the list allows in this share."""
        entry = self.guard.now().entry_of(room.share)
        return entry.roles if entry is not None else ()

    def allow_role(self, room: SharedRoom, role: str) -> None:
        """The owner gives this role to somebody: the list has to say so. Raises `AllowlistError`."""
        listed = self.guard.now()
        entry = listed.entry_of(room.share)
        if entry is not None and role in v.GUEST_ROLES and role not in entry.roles:
            name = next(name for name, each in listed.sessions.items() if each is entry)
            wider = v.GUEST_ROLES[: max(v.GUEST_ROLES.index(role) + 1, len(entry.roles))]
            write(self.guard.path, listed.with_entry(name, msgspec.structs.replace(entry, roles=wider)))

    def _end_now(self, room: SharedRoom, code: str, text: str) -> None:
        if not room.closed:
            room.closed = True
            self._around.later(self.end(room, code, text))

    async def end(self, room: SharedRoom, code: str, text: str) -> None:
        """Off the list, sockets closed, gone. It returns when the last byte has been sent."""
        if self.rooms.pop(room.share, None) is None:
            return
        room.stop()
        self.unlist(room.share)
        if self.gateway.connected:
            number = next(self._numbers)
            finished = self._closings[number] = asyncio.Event()
            self.gateway.send(g.Closed(share=room.share, code=code, text=text, id=number))
            try:
                await asyncio.wait_for(finished.wait(), CLOSE_DEADLINE)
            except TimeoutError:
                self.gateway.cut()  # the others' viewers come back to the next one
                self._revive()
            finally:
                self._closings.pop(number, None)
        self.forget(room, text)
        if not self.rooms:
            await self.gateway.finish()

    def _revive(self) -> None:
        if self.rooms:
            self._around.later(self._ensure_again())

    async def _ensure_again(self) -> None:
        await self.gateway.ensure()
        self._tell_everything()

    def forget(self, room: SharedRoom, text: str) -> None:
        room.stop()
        self._around.peers.discard(room.tap)
        self.unlist(room.share)
        self._around.push(s.ShareGone(share=room.share, session=room.key, text=text))

    def unlist(self, share: str) -> None:
        """Take a share off the list; one that cannot be believed shares nothing anyway and is left as it is."""
        listed = self.guard.now()
        if listed.entry_of(share) is not None:
            try:
                write(self.guard.path, listed.without(share))
            except AgentdeckError as error:
                self._around.problem(str(error))

    def _watch(self) -> None:
        """Look at the list when it changes, and at what time alone ends, for as long as anything is shared."""
        if self._watching is None or self._watching.done():
            self._watching = asyncio.get_running_loop().create_task(self._watch_list())
        if self._ticking is None:
            self._tick()

    async def _watch_list(self) -> None:
        from watchfiles import awatch  # only for those who share

        directory = self.guard.path.parent
        while self.rooms:
            with contextlib.suppress(FileNotFoundError, OSError, RuntimeError):
                async for _ in awatch(
                    directory, debounce=100, step=20, recursive=False, rust_timeout=500, yield_on_timeout=True,
                    watch_filter=None,
                ):  # fmt: skip
                    self._look()
                    if not self.rooms:
                        return
            self._look()  # the directory itself is gone or cannot be watched
            await asyncio.sleep(0.3)

    def _look(self) -> None:
        for room in tuple(self.rooms.values()):
            self.allowed(room)

    def _tick(self) -> None:
        self._ticking = None
        if not self.rooms:
            return
        self._ticking = asyncio.get_running_loop().call_later(LOOK_EVERY, self._tick)
        now = time.monotonic()
        for room in tuple(self.rooms.values()):
            if not self.allowed(room):
                continue
            if ":" not in room.key and room.key not in self._around.roster.sessions:
                self._end_now(room, "ENDED", "the session is gone")
                continue
            room.look_for_secrets()
            if now - room.told_at > RETELL:  # health also changes with time alone
                room.tell_soon()
            if room.room.prompts.expire(now):
                room.guests.pause(room.room.prompts.paused)
            if room.ended_at is not None and now - room.ended_at > AFTER_END:
                self._end_now(room, "ENDED", "the session has ended")
            elif not room.room.online and now - room.last_viewer > UNWATCHED:
                self._end_now(room, "ENDED", "nobody watched")
        if now - self._tidied > 3600.0:
            self._tidied = now
            self._around.later(self._tidy())

    async def _tidy(self) -> None:
        with contextlib.suppress(RefusedError):
            await self.store.tidy(time.time(), self.rooms)

    # ── the gateway ────────────────────────────────────────────────────────────────────────────

    def _take(self, message: g.FromGateway) -> None:
        match message:
            case g.Finished():
                if (event := self._closings.get(message.id)) is not None:
                    event.set()
            case g.Online():
                if (room := self.rooms.get(message.share)) is not None:
                    room.online(message.participant, message.sockets)
            case g.AskJoin() | g.AskCode() | g.AskLog() | g.Wants():
                self._around.later(self._reply(message))
            case _:
                pass

    async def _reply(self, question: g.AskJoin | g.AskCode | g.AskLog | g.Wants) -> None:
        try:
            body = msgspec.json.encode(await self._judge(question))
        except RefusedError as refused:
            self.gateway.send(g.Answer(id=question.id, problem=refused.problem))
        except AgentdeckError as error:
            self.gateway.send(g.Answer(id=question.id, problem=RefusedError("UNAVAILABLE", str(error)).problem))
        else:
            self.gateway.send(g.Answer(id=question.id, body=body))

    async def _judge(self, question: g.AskJoin | g.AskCode | g.AskLog | g.Wants) -> msgspec.Struct:
        if isinstance(question, g.AskCode):
            found = next(
                (room for room in self.rooms.values() if room.room.find_invite(question.code, code=True) is not None),
                None,
            )
            if found is None:
                raise RefusedError("NO_SUCH_SHARE")
            joined = await found.let_in(question)
            self._around.push(m.Notice(text=f"{joined.name} waits to be let in: {joined.words}", session=found.key))
            return joined
        room = self.rooms.get(question.share)
        if room is None:
            raise RefusedError("NO_SUCH_SHARE")
        match question:
            case g.AskJoin():
                return await room.let_in(question)
            case g.AskLog():
                count = min(question.count, 500)
                events = await self.store.read(room.share, question.since, count, question.kinds)
                if not self.allowed(room):
                    raise RefusedError("ENDED")
                return v.Messages(messages=tuple(events))
            case g.Wants():
                return await room.want(question)

    def _on_writable(self) -> None:
        for room in self.rooms.values():
            session = self._around.roster.sessions.get(room.key)
            if session is not None:
                session.painter.touch()
