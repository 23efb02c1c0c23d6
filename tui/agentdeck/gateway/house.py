"""Everything that is shared through this gateway, kept as the hub says it.

Fails closed: when the hub has gone nobody new is let in or shown the screen, and when it stays away everything ends.
"""

import asyncio
from typing import Final

import msgspec

from agentdeck.gateway.budget import Budget
from agentdeck.gateway.line import Hub, Line
from agentdeck.gateway.shared import SharedSession, Viewer, note
from agentdeck.protocol import gateway as g
from agentdeck.protocol import viewers as v
from agentdeck.share import tokens
from agentdeck.share.refusal import RefusedError

OFFLINE: Final = 300.0
"""Seconds without a hub after which everything ends."""

SOCKETS_EACH: Final = 8
"""Connections that one person may have open."""


class House:
    def __init__(self, url: str, origins: frozenset[str], hosts: frozenset[str], *, pid: int) -> None:
        self.url = url
        self.origins = origins
        self.hosts = hosts
        self.shares: dict[str, SharedSession] = {}
        self.hub = Hub()
        self.budget = Budget()
        self.owner_token = ""
        self.max_viewers = 1000
        self.ended = asyncio.Event()
        self.ready = asyncio.Event()
        """We can be reached."""
        self._pid = pid
        self._alone: asyncio.TimerHandle | None = None
        self._expected: set[str] = set()
        """Shares that the hub has announced and not described yet."""
        self._closing: dict[int, SharedSession] = {}
        """Shares that are closed when their last viewer has gone, by the hub's question."""
        self.lonely()

    # ── the hub ────────────────────────────────────────────────────────────────────────────────

    def line(self) -> Line:
        return Line(self.take, self._lost)

    def lonely(self) -> None:
        if self._alone is None:
            self._alone = asyncio.get_running_loop().call_later(OFFLINE, self._give_up)

    def _give_up(self) -> None:
        for share in tuple(self.shares):
            self._close(g.Closed(share=share, code="ENDED", text="the owner has been offline for too long"))
        self.ended.set()

    def _lost(self, line: Line) -> None:
        if self.hub.line is line:
            self.hub.gone()
            self._say_all("the owner is offline", "offline")
            self.lonely()

    def _say_all(self, text: str, about: str) -> None:
        for shared in self.shares.values():
            for viewer in shared.viewers:
                viewer.tell(note("system", msgspec.json.encode(v.System(text=text, about=about)), by="session"))

    def take(self, line: Line, message: g.FromHub) -> None:
        if isinstance(message, g.Setup):
            self._begin(line, message)
            return
        if line is not self.hub.line:
            line.close()
            return
        match message:
            case g.Opened():
                self._open(message)
            case g.Closed():
                self._close(message)
            case g.Answer():
                self.hub.answered(message)
            case g.End():
                self._give_up()
            case _:
                self._pass_on(message)

    def _begin(self, line: Line, setup: g.Setup) -> None:
        if self.hub.line is not None and self.hub.line is not line:
            old, self.hub.line = self.hub.line, line
            old.close()  # another hub owns the shares now
        self.hub.line = line
        self.owner_token, self.max_viewers = setup.owner_token, setup.max_viewers
        self._expected = set(setup.shares) - set(self.shares)
        if self._alone is not None:
            self._alone.cancel()
            self._alone = None
        line.send(g.Ready(version=g.VERSION, pid=self._pid, url=self.url))

    def _open(self, opened: g.Opened) -> None:
        """A share that was here before keeps its viewers: only what the hub says now counts."""
        before = self.shares.get(opened.share)
        self._expected.discard(opened.share)
        self.shares[opened.share] = SharedSession(opened)
        if before is None:
            return
        for viewer in tuple(before.viewers):
            grant = next((each for each in opened.grants if each.participant == viewer.grant.participant), None)
            if grant is None:
                viewer.end("REVOKED", "")
            else:
                viewer.end("SLOW_CONSUMER", "reconnect")  # its place in the new log is found as after any break

    def _pass_on(self, message: g.FromHub) -> None:
        shared = self.shares.get(getattr(message, "share", ""))
        if shared is None:
            return
        match message:
            case g.Drawn():
                shared.draw(message)
            case g.Logged():
                shared.log(message.events)
            case g.Told():
                shared.tell(message)
            case g.Granted():
                shared.grant(message.grant)
            case g.Removed():
                shared.remove(message.participant, message.code, message.text)
        shared.pump()

    def _close(self, closed: g.Closed) -> None:
        self._expected.discard(closed.share)
        shared = self.shares.pop(closed.share, None)
        if shared is not None:
            shared.grants.clear()
            for viewer in tuple(shared.viewers):
                viewer.end(closed.code, closed.text)
        if closed.id:
            if shared is not None and shared.viewers:
                self._closing[closed.id] = shared
            else:
                self.hub.send(g.Finished(id=closed.id))

    # ── viewers ────────────────────────────────────────────────────────────────────────────────

    def enter(self, shared: SharedSession, viewer: Viewer) -> None:
        """Raises `RefusedError` when there are too many already."""
        person = viewer.grant.participant
        if sum(len(each.viewers) for each in self.shares.values()) >= self.max_viewers:
            raise RefusedError("FULL", retry_after=30.0)
        if len(shared.viewers_of(person)) >= SOCKETS_EACH:
            raise RefusedError("FULL", f"{SOCKETS_EACH} connections of yours are open", retry_after=30.0)
        shared.viewers.add(viewer)
        self._tell_online(shared, person)

    def leave(self, shared: SharedSession, viewer: Viewer) -> None:
        if viewer not in shared.viewers:
            return
        shared.viewers.discard(viewer)
        self._tell_online(shared, viewer.grant.participant)
        if not shared.viewers:
            for number in [n for n, each in self._closing.items() if each is shared]:
                del self._closing[number]
                self.hub.send(g.Finished(id=number))

    def _tell_online(self, shared: SharedSession, person: str) -> None:
        sockets = len(shared.viewers_of(person))
        self.hub.send(g.Online(share=shared.facts.share, participant=person, sockets=sockets))

    def who(self, share: str, token: str) -> tuple[SharedSession, g.Grant]:
        """Raises `RefusedError`, in the same way whether there is such a share or not."""
        shared = self.shares.get(share)
        grant = shared.grants.get(tokens.hashed(token)) if shared is not None and token else None
        if shared is None and (self.hub.line is None or share in self._expected):
            raise RefusedError("UNAVAILABLE", "the owner is offline", retry_after=1.0)  # started anew a moment ago
        if shared is None or grant is None:
            raise RefusedError("UNAUTHENTICATED")
        return shared, grant

    def known(self, share: str, token: str, address: str, *, connects: bool = True) -> tuple[SharedSession, g.Grant]:
        """`who`, for somebody at this address: guessing is held up there. Raises `RefusedError`."""
        self.budget.check("guess", address)
        try:
            shared, grant = self.who(share, token)
        except RefusedError:
            self.budget.note("guess", address)
            raise
        if connects:
            self.budget.spend("connect", grant.participant)
        return shared, grant

    async def log(self, share: str, since: int, count: int, kinds: tuple[str, ...] = ()) -> v.Messages:
        """Ask the hub for events after `since`. Raises `RefusedError`."""
        return await self.hub.ask(
            lambda number: g.AskLog(id=number, share=share, since=since, count=count, kinds=kinds), v.Messages
        )

    def is_owner(self, token: str) -> bool:
        return bool(token and self.owner_token) and tokens.same(tokens.hashed(token), self.owner_token)
