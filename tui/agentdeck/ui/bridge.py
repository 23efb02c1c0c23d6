"""The deck's line to the hub: what to show comes up, what to do goes down, and the line mends itself.

When the hub dies it is started again, once per death and not in a tight loop: one that dies again at once stays down,
and the bridge then only looks whether somebody else brought it back. Whatever happens, the deck keeps running; after
each reconnect it gets the list of sessions and full screens anew.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from agentdeck.errors import AgentdeckError, HubUnreachableError
from agentdeck.protocol import messages as m
from agentdeck.protocol.base import Reply

STEADY: Final = 10.0
"""Seconds that a hub must have lived before its death is followed by an automatic restart."""
SLOW: Final = 1.0
"""Seconds after which the person is told that there is no hub; mostly it is back long before."""
LOOK_AGAIN: Final = 2.0
"""Seconds between two looks for a hub that somebody else may have started."""

R = TypeVar("R", bound=Reply)


class Client(Protocol):
    """The part of `HubClient` that the deck uses."""

    on_push: Callable[[m.AnyReply], None]
    on_close: Callable[[], None]

    async def call(self, request: m.AnyRequest) -> m.AnyReply: ...
    async def ask(self, request: m.AnyRequest, kind: type[R]) -> R: ...
    def post(self, request: m.AnyRequest) -> None: ...
    async def resolve(self, ref: str) -> m.Session: ...
    async def close(self) -> None: ...


Connect = Callable[[bool], Awaitable[Client]]
"""Connect to the hub; the argument says whether it may be started."""


@dataclass(frozen=True, slots=True)
class Watched:
    """How a visible session is shown. `columns` 0: leave its size alone."""

    priority: str
    columns: int = 0
    rows: int = 0


class Bridge:
    """`say(text, level)` gets sentences for the person; `on_push` every push, in the event loop."""

    def __init__(
        self, connect: Connect, *, on_push: Callable[[m.AnyReply], None], say: Callable[[str, str], None]
    ) -> None:
        self._connect = connect
        self._on_push = on_push
        self._say = say
        self._client: Client | None = None
        self._watched: dict[str, Watched] = {}
        self._connected_at = 0.0
        self._mending: asyncio.Task[None] | None = None
        self._closing = False
        self.lines = 0
        """How many times we have got through to a hub."""

    @property
    def connected(self) -> bool:
        return self._client is not None

    async def open(self) -> None:
        """Connect for the first time and ask for everything that the deck shows. Raises `AgentdeckError`."""
        await self._take(await self._connect(True))

    async def close(self) -> None:
        self._closing = True
        if self._mending is not None:
            self._mending.cancel()
            await asyncio.wait([self._mending])
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    # ── requests ───────────────────────────────────────────────────────────────────────────────

    def post(self, request: m.AnyRequest) -> None:
        """Send what wants no answer; dropped while there is no hub, of which the person knows."""
        if self._client is not None:
            self._client.post(request)

    async def call(self, request: m.AnyRequest) -> m.AnyReply:
        """Ask the hub. Raises the `AgentdeckError` that it named."""
        if self._client is None:
            raise HubUnreachableError("there is no hub just now", hint="it is being started again; try in a moment")
        return await self._client.call(request)

    async def ask(self, request: m.AnyRequest, kind: type[R]) -> R:
        if self._client is None:
            raise HubUnreachableError("there is no hub just now", hint="it is being started again; try in a moment")
        return await self._client.ask(request, kind)

    async def resolve(self, ref: str) -> m.Session:
        """Find a session by id, beginning of an id, or name. Raises `SessionError`, `HubUnreachableError`."""
        if self._client is None:
            raise HubUnreachableError("there is no hub just now")
        return await self._client.resolve(ref)

    def show(self, wanted: Mapping[str, Watched]) -> None:
        """Have exactly these sessions' frames pushed; only what differs from before is sent."""
        for session in self._watched.keys() - wanted.keys():
            self.post(m.View(session=session, priority="hidden"))
        for session, view in wanted.items():
            if self._watched.get(session) != view:
                self.post(_view(session, view))
        self._watched = dict(wanted)

    def shown(self, session: str) -> Watched | None:
        """How a session is shown now, None when it is not."""
        return self._watched.get(session)

    def again(self, session: str) -> None:
        """Ask for a full frame of a session that is shown: its program was started anew, or its screen is in doubt."""
        if (view := self._watched.get(session)) is not None:
            self.post(m.View(session=session, priority="hidden"))
            self.post(_view(session, view))

    def forget(self, session: str) -> None:
        """The session has gone from the hub."""
        self._watched.pop(session, None)

    # ── the line itself ────────────────────────────────────────────────────────────────────────

    async def _take(self, client: Client) -> None:
        client.on_push = self._on_push
        client.on_close = self._lost
        self._client = client
        self._connected_at = time.monotonic()
        self.lines += 1
        before, self._watched = self._watched, {}
        sessions = await client.ask(m.Watch(resources=True), m.Sessions)
        self._on_push(sessions)
        if not self._watched:
            self.show({s.id: before[s.id] for s in sessions.sessions if s.id in before})

    def _lost(self) -> None:
        if self._closing or self._client is None:
            return
        self._client = None
        if self._mending is None or self._mending.done():
            steady = time.monotonic() - self._connected_at >= STEADY
            self._mending = asyncio.get_running_loop().create_task(self._mend(start=steady or not self._mending))

    async def _mend(self, *, start: bool) -> None:
        slow = asyncio.get_running_loop().call_later(SLOW, self._say, "the hub has gone; starting it again", "warning")
        if not start:
            slow.cancel()
            self._say("the hub died again at once; `agentdeck hub restart` starts it, the sessions go on", "error")
        try:
            while not await self._mended(start=start):
                start = False
                slow.cancel()
                await asyncio.sleep(LOOK_AGAIN)
        finally:
            slow.cancel()
        self._say("the hub died and is back; the sessions went on all the time", "warning")

    async def _mended(self, *, start: bool) -> bool:
        try:
            await self._take(await self._connect(start))
        except AgentdeckError as error:
            self._client = None
            if start:
                self._say(f"{error} ({error.hint})" if error.hint else str(error), "error")
            return False
        return True


def _view(session: str, view: Watched) -> m.View:
    return m.View(session=session, priority=view.priority, cols=view.columns, rows=view.rows)
