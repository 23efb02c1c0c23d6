"""Everything that is shared through this gateway, kept as the hub says it.

Fails closed: when the hub has gone nobody new is let in or shown the screen, and when it stays away everything ends.
"""

import asyncio
from typing import Final

import msgspec

from agentdeck.gateway.budget import Budget
from agentdeck.gateway.doors import LOCAL, Names
from agentdeck.gateway.line import Hub, Line
from agentdeck.gateway.shared import SharedSession, Viewer, note
from agentdeck.protocol import gateway as g
from agentdeck.protocol import viewers as v
from agentdeck.share import clock, tokens
from agentdeck.share.certificate import Certificate
from agentdeck.share.refusal import RefusedError

OFFLINE: Final = 300.0
"""Seconds without a hub after which everything ends."""

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at what time alone ends."""

SOCKETS_EACH: Final = 8
"""Connections that one person may have open."""


class House:
    def __init__(
        self, names: Names, shown: Certificate | None = None, *, pid: int, now: clock.Clock | None = None
    ) -> None:
        self.names = names
        self._shown = shown
        self.shares: dict[str, SharedSession] = {}
        self.hub = Hub()
        self._now = now or clock.steady()
        self.budget = Budget(self._now)
        self.owner_token = ""
        self.max_viewers = 1000
        self.ended = asyncio.Event()
        self.ready = asyncio.Event()
        """We can be reached."""
        self._pid = pid
        self._alone: float | None = None
        """When the hub was heard of last; None while it is here."""
        self._expected: set[str] = set()
        """Shares that the hub has announced and not described yet."""
        self._closing: dict[int, SharedSession] = {}
        """Shares that are closed when their last viewer has gone, by the hub's question."""
        self.lonely()
        self._look()

    # ── the hub ────────────────────────────────────────────────────────────────────────────────

    def line(self) -> Line:
        return Line(self.take, self._lost)

    def lonely(self) -> None:
        if self._alone is None:
            self._alone = self._now()

    def _look(self) -> None:
        """End what time alone ends, also while the hub hangs or is away."""
        now = self._now()
        if self._alone is not None and now - self._alone >= OFFLINE:
            self._give_up()
        for share in [name for name, shared in self.shares.items() if now >= shared.facts.expires_at]:
            self._close(g.Closed(share=share, code="EXPIRED", text="the share has expired"))
        if not self.ended.is_set():
            asyncio.get_running_loop().call_later(LOOK_EVERY, self._look)

    def _give_up(self) -> None:
        for share in tuple(self.shares):
            self._close(g.Closed(share=share, code="ENDED", text="the owner has been offline for too long"))
        self.ended.set()

    def _lost(self, line: Line) -> None:
        if self.hub.line is line:
            self.hub.gone()
            self._say_all("the owner is offline", "offline")
            self.lonely()
        self._look()

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
            case g.Reached():
                if (reached := self.shares.get(message.share)) is not None:
                    reached.servers = message.servers
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
            old.send(g.Replaced())
            old.close()
        self.hub.line = line
        self.owner_token, self.max_viewers = setup.owner_token, setup.max_viewers
        self._expected = set(setup.shares) - set(self.shares)
        for share in set(self.shares) - set(setup.shares):
            self._close(g.Closed(share=share, code="ENDED", text="the session is not shared any more"))
        self._alone = None
        line.send(self._where())

    def _where(self) -> g.Ready:
        return g.Ready(
            version=g.VERSION, pid=self._pid, url=self.names.near, lan=self.names.lan,
            fingerprint=self._shown.fingerprint if self._shown is not None else "",
            self_signed=self._shown is not None and self._shown.self_signed,
        )  # fmt: skip

    def moved(self, names: Names, shown: Certificate) -> None:
        """This machine has other addresses now, or another certificate."""
        self.names, self._shown = names, shown
        self.hub.send(self._where())

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

    def who(self, share: str, token: str, door: str) -> tuple[SharedSession, g.Grant]:
        """Raises `RefusedError`, in the same way whether there is such a share or not."""
        shared = self.shares.get(share)
        if shared is not None and not (door == LOCAL or door in shared.servers):
            raise RefusedError("UNAUTHENTICATED")
        if self.hub.line is None or (shared is None and share in self._expected):
            raise RefusedError("UNAVAILABLE", "the owner is offline", retry_after=1.0)  # started anew a moment ago
        if shared is not None and self._now() >= shared.facts.expires_at:
            raise RefusedError("EXPIRED", "the share has expired")
        grant = shared.grants.get(tokens.hashed(token)) if shared is not None and token else None
        if shared is None or grant is None:
            raise RefusedError("UNAUTHENTICATED")
        return shared, grant

    def known(
        self, share: str, token: str, address: str, door: str, *, connects: bool = True
    ) -> tuple[SharedSession, g.Grant]:
        """`who`, for somebody at this address: guessing is held up there. Raises `RefusedError`."""
        try:
            shared, grant = self.who(share, token, door)
        except RefusedError as refused:
            if refused.problem.code == "UNAUTHENTICATED":  # those with a right one do not pay for those who guess
                self.budget.spend("guess", address)
            raise
        if connects:
            self.budget.spend("connect", grant.participant)
        return shared, grant

    async def log(
        self, share: str, since: int, count: int, kinds: tuple[str, ...] = (), *, before: int = 0
    ) -> v.Messages:
        """Ask the hub for events after `since`, or for the newest ones before `before`. Raises `RefusedError`."""
        return await self.hub.ask(
            lambda number: g.AskLog(id=number, share=share, since=since, count=count, kinds=kinds, before=before),
            v.Messages,
        )

    def is_owner(self, token: str) -> bool:
        return bool(token and self.owner_token) and tokens.same(tokens.hashed(token), self.owner_token)
