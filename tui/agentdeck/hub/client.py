"""One client's line to the hub: requests answered by id, pushes handed over as they arrive.

Everything that is not the hub itself uses this: the deck, every subcommand, tests. Pushes are delivered by a plain
call inside the event loop, because the way from a key to its echo has no room for a queue.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Final, TypeVar

from agentdeck import errors
from agentdeck.errors import AgentdeckError, AmbiguousSessionError, HubUnreachableError, UnknownSessionError
from agentdeck.hub import autostart
from agentdeck.paths import Paths
from agentdeck.protocol import messages as m
from agentdeck.protocol import wire
from agentdeck.protocol.base import Reply

R = TypeVar("R", bound=Reply)

DEADLINE: Final = 30.0
"""Seconds in which the hub must answer; what lasts by itself (stopping, starting a program) gets it on top."""

GREETING: Final = 5.0

DYING: Final = 2.0
"""Seconds for which a killed hub's socket may still take connections in."""


class LostBeforeAnswerError(HubUnreachableError):
    """The connection ended while a request waited for its answer."""


class HubClient(asyncio.Protocol):
    """Use as an async context manager, or `close` it. `on_push` and `on_close` may be replaced at any time."""

    def __init__(self) -> None:
        self.on_push: Callable[[m.AnyReply], None] = lambda message: None
        self.on_close: Callable[[], None] = lambda: None
        self.hub_pid = 0
        self._decoder: wire.Decoder[m.AnyReply] = wire.Decoder(m.AnyReply)
        self._waiting: dict[int, asyncio.Future[m.AnyReply]] = {}
        self._last_id = 0
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def connect(cls, paths: Paths, *, kind: str = "cli", start: bool = True) -> "HubClient":
        """Connect, starting the hub first when none runs and `start` allows it.

        Raises `HubUnreachableError`, `ProtocolError` when the hub speaks another version.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + DYING
        while True:
            connection = await autostart.connect(paths, start=start)
            try:
                return await cls.over(connection, kind=kind)
            except LostBeforeAnswerError:  # taken in by a hub that was just dying: that is no hub
                if loop.time() > until:
                    raise
            await asyncio.sleep(0.05)

    @classmethod
    async def over(cls, connection: socket.socket, *, kind: str = "cli") -> "HubClient":
        """Speak over a socket that is already connected (a hub inside this process)."""
        client = cls()
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: client, sock=connection)
        try:
            welcome = await client.ask(m.Hello(client=kind), m.Welcome)
        except HubUnreachableError:
            await client.close()
            raise
        client.hub_pid = welcome.pid
        return client

    async def call(self, request: m.AnyRequest) -> m.AnyReply:
        """Send a request and return its reply. Raises the `AgentdeckError` that the hub named."""
        self._last_id += 1
        request.id = self._last_id
        future: asyncio.Future[m.AnyReply] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = future
        patience = GREETING if isinstance(request, m.Hello) else DEADLINE + getattr(request, "grace", 0.0)
        try:
            self._send(request)
            reply = await asyncio.wait_for(future, patience)
        except TimeoutError:
            raise HubUnreachableError(f"the hub has not answered for {patience:.0f} s") from None
        finally:
            self._waiting.pop(request.id, None)
        if isinstance(reply, m.Failed):
            raise _revive(reply)
        return reply

    async def ask(self, request: m.AnyRequest, kind: type[R]) -> R:
        """`call` for a request that has exactly one kind of answer."""
        reply = await self.call(request)
        if not isinstance(reply, kind):
            raise errors.ProtocolError(f"the hub answered {type(request).__name__} with {type(reply).__name__}")
        return reply

    def post(self, request: m.AnyRequest) -> None:
        """Send a request that wants no answer. Dropped when the hub has gone: `on_close` told so."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(wire.encode(request))

    async def resolve(self, ref: str) -> m.Session:
        """Find a session by id, unique beginning of an id, or exact name."""
        sessions = (await self.ask(m.List(), m.Sessions)).sessions
        for session in sessions:
            if session.id == ref:
                return session
        named = [s for s in sessions if s.name == ref] or [s for s in sessions if ref and s.id.startswith(ref)]
        if not named:
            raise UnknownSessionError(ref)
        if len(named) > 1:
            raise AmbiguousSessionError(ref, [s.id for s in named])
        return named[0]

    @property
    def closed(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    async def close(self) -> None:
        if self._transport is not None:
            self.on_close = lambda: None
            self._transport.close()
            await asyncio.sleep(0)

    async def __aenter__(self) -> "HubClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _send(self, request: m.AnyRequest) -> None:
        if self.closed:
            raise LostBeforeAnswerError("the hub has gone")
        assert self._transport is not None
        self._transport.write(wire.encode(request))

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for message in self._decoder.feed(data):
            waiting = self._waiting.get(message.id) if message.id else None
            if waiting is None:
                self.on_push(message)
            elif not waiting.done():
                waiting.set_result(message)

    def connection_lost(self, error: Exception | None) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(LostBeforeAnswerError("the hub went away before it answered"))
        with contextlib.suppress(RuntimeError):
            self.on_close()


def _revive(failed: m.Failed) -> AgentdeckError:
    """Make the hub's error the same class here, so that a caller can catch it by name."""
    kind = getattr(errors, failed.error, AgentdeckError)
    if not (isinstance(kind, type) and issubclass(kind, AgentdeckError)):
        kind = AgentdeckError
    error = AgentdeckError.__new__(kind)
    AgentdeckError.__init__(error, failed.text, hint=failed.hint)
    return error
