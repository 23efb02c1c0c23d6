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
from functools import cached_property
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
from agentdeck.hub.share_list import ShareList
from agentdeck.hub.share_store import ShareStore
from agentdeck.hub.shared import Outside, SharedRoom, written
from agentdeck.paths import Paths, make_private
from agentdeck.protocol import gateway as g
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from agentdeck.protocol import viewers as v
from agentdeck.share import clock, keyfile, meeting, tokens
from agentdeck.share.log import Item
from agentdeck.share.refusal import RefusedError
from agentdeck.share.room import Facts, Room

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at what time alone ends."""

CLOSE_DEADLINE: Final = 0.8
"""Seconds for the gateway to close the sockets of a share, before it is killed."""

CUT_DEADLINE: Final = 0.2
"""Seconds for viewers to be told that everything is cut off, before the gateway is killed."""

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
        self.listed = ShareList(around.paths.config.with_name(meeting.LIST), around.problem)
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
        self.gateway.on_replaced = self._replaced
        self._watching: asyncio.Task[None] | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._closings: dict[int, asyncio.Event] = {}
        self._numbers = itertools.count(1)
        self._tidied = 0.0
        self._owner_token = ""

    # ── its life ───────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Go on with what an earlier hub shared."""
        if self.listed.now().sessions:
            self._around.later(self._go_on())

    async def _go_on(self) -> None:
        for name, entry in tuple(self.listed.now().sessions.items()):
            session = self._around.roster.sessions.get(entry.session)
            if entry.expires_at <= self.now() or (session is None and ":" not in entry.session):
                self.listed.remove(entry.share)
                continue
            try:
                last, items = await self.store.load(entry.share)
                facts = next(msgspec.msgpack.decode(i.body, type=Facts) for i in items if i.kind == "facts" and i.body)
                await self.open(Room(facts, self.now, items), entry.session, last)
            except (RefusedError, AgentdeckError, StopIteration) as error:
                self._around.problem(f"{name} is not shared any more: {error}")
                self.listed.remove(entry.share)
                self.gateway.send(g.Closed(share=entry.share, code="ENDED", text="the session is not shared any more"))

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
                keyfile.write(self._around.paths.run / meeting.TOKEN, self._owner_token.encode())
        listed = self.listed.now().sessions.values()  # those that an earlier hub shared are on their way
        shares = {entry.share for entry in listed if entry.expires_at > self.now()} | self.rooms.keys()
        return g.Setup(version=g.VERSION, owner_token=tokens.hashed(self._owner_token), shares=tuple(shares))

    @cached_property
    def _key(self) -> bytes:
        make_private(self._around.paths.state)
        return keyfile.load(self._around.paths.state / meeting.KEY)

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
            room.facts.share, room.prompts, self._around.queue, lambda: shared.tap,
            session=lambda: self._around.roster.sessions.get(key),
            store=lambda items: self._keep(shared, items), tell=lambda: shared.tell_soon(),
            later=lambda work: shared.later(work),
        )  # fmt: skip
        outside = Outside(
            send=self.gateway.send, allowed=self.allowed, listed=self.listed, store=self.store,
            facts=self._around.facts, session=self._around.roster.sessions.get, people=self._changed, told=self._said,
            secrets=self._secrets, key=self._key, env=dict(os.environ),
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
        found = [self._owner_token, *(secret for room in self.rooms.values() for secret in room.secrets)]
        return list(filter(None, found))

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
        entry = self.listed.entry(room.share)
        if (
            entry is not None
            and entry.session == room.key
            and min(entry.expires_at, room.room.facts.expires_at) > self.now()
        ):
            return True
        problem = self.listed.problem
        if problem is not None:
            self._around.push(m.Notice(text=f"nothing is shared any more: {problem}", level="error"))
            self._end_now(room, "REVOKED", "sharing was stopped")
        elif entry is not None and entry.session == room.key:
            self._end_now(room, "EXPIRED", "the share has expired")
        else:
            self._end_now(room, "REVOKED", "the session was taken off the list")
        return False

    def widen(self, room: SharedRoom, server: str) -> None:
        """Let a share be reached by another way, too; its links name that one from now on. Raises `AllowlistError`."""
        self.gateway.send(g.Reached(share=room.share, servers=self.listed.widen(room.share, server)))

    def _end_now(self, room: SharedRoom, code: str, text: str) -> None:
        if not room.closed:
            room.closed = True
            self._around.later(self.end(room, code, text))

    async def end(self, room: SharedRoom, code: str, text: str) -> None:
        """Off the list, sockets closed, gone. It returns when the last byte has been sent."""
        if self.rooms.pop(room.share, None) is None:
            return
        room.stop()
        self.listed.remove(room.share)
        if not await self._closed(room, code, text, CLOSE_DEADLINE):
            self.gateway.cut()  # the others' viewers come back to the next one
            self._revive()
        self.forget(room, text)
        if not self.rooms:
            await self.gateway.finish()

    async def _closed(self, room: SharedRoom, code: str, text: str, seconds: float) -> bool:
        """Have the gateway close the sockets of a share; whether it had done so in time, or there is none."""
        if not self.gateway.connected:
            return True
        number = next(self._numbers)
        finished = self._closings[number] = asyncio.Event()
        self.gateway.send(g.Closed(share=room.share, code=code, text=text, id=number))
        try:
            await asyncio.wait_for(finished.wait(), seconds)
        except TimeoutError:
            return False
        finally:
            self._closings.pop(number, None)
        return True

    async def cut(self, text: str) -> None:
        """End everything at once: whatever the gateway does, it is dead in a moment."""
        rooms, self.rooms = list(self.rooms.values()), {}
        for room in rooms:
            room.stop()
        closing = asyncio.gather(*(self._closed(room, "ENDED", text, CUT_DEADLINE) for room in rooms))
        await asyncio.sleep(0)  # the gateway is told before anything else is done
        for room in rooms:
            self.listed.remove(room.share)
        await closing
        self.gateway.cut()
        for room in rooms:
            self.forget(room, text)

    def _replaced(self) -> None:
        """Another hub shares now: what was ours goes on with it, and the list is its own."""
        rooms, self.rooms = list(self.rooms.values()), {}
        for room in rooms:
            room.stop()
            self._around.peers.discard(room.tap)
            self._around.push(s.ShareGone(share=room.share, session=room.key, text="another hub has taken over"))

    def _revive(self) -> None:
        if self.rooms:
            self._around.later(self._ensure_again())

    async def _ensure_again(self) -> None:
        await self.gateway.ensure()
        self._tell_everything()

    def forget(self, room: SharedRoom, text: str) -> None:
        room.guests.end()
        room.stop()
        self._around.peers.discard(room.tap)
        self.listed.remove(room.share)
        self._around.push(s.ShareGone(share=room.share, session=room.key, text=text))

    def _watch(self) -> None:
        """Look at the list when it changes, and at what time alone ends, for as long as anything is shared."""
        if self._watching is None or self._watching.done():
            self._watching = asyncio.get_running_loop().create_task(self.listed.watch(self._look))
        if self._ticking is None:
            self._tick()

    def _look(self) -> bool:
        for room in tuple(self.rooms.values()):
            self.allowed(room)
        return bool(self.rooms)

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
                room.guests.settle()
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
            rooms = (
                room for room in self.rooms.values() if room.room.find_invite(question.code, code=True) is not None
            )
            found = next((room for room in rooms if self.listed.lets_in(room.share, question.door)), None)
            if found is None:
                raise RefusedError("NO_SUCH_SHARE")
            joined = await found.let_in(question)
            self._around.push(m.Notice(text=f"{joined.name} waits to be let in: {joined.words}", session=found.key))
            return joined
        room = self.rooms.get(question.share)
        if room is None or (isinstance(question, g.AskJoin) and not self.listed.lets_in(room.share, question.door)):
            raise RefusedError("NO_SUCH_SHARE")
        match question:
            case g.AskJoin():
                return await room.let_in(question)
            case g.AskLog():
                count = min(question.count, 500)
                kinds, before = question.kinds, question.before
                events = await self.store.read(room.share, question.since, count, kinds, before=before)
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
