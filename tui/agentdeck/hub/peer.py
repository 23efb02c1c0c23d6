"""The hub's side of one client connection, and how much of each screen that client has seen.

Screens are *latest only*: a view remembers the sequence number it sent last, and a client whose socket is full gets
nothing until it drains, then the rows that changed meanwhile. Everything else is written at once; a client that lets
`BACKLOG` bytes of it pile up is cut off, and gets a snapshot when it comes back.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from agentdeck.errors import ProtocolError
from agentdeck.hub.kin import peer_pid
from agentdeck.protocol import messages as m
from agentdeck.protocol import wire

BACKLOG: Final = 8 * 1024 * 1024
FULL: Final = 256 * 1024
"""Bytes waiting in the socket at which a client counts as slow and frames are held back."""

INTERVALS: Final = {"focus": 1 / 60, "visible": 1 / 15}
"""Seconds between two frames of one screen."""


@dataclass(slots=True)
class ScreenView:
    """What one client has of one screen."""

    interval: float
    since: int = 0
    sent_at: float = 0.0


class Peer(asyncio.Protocol):
    def __init__(self, on_request: "Callable[[Peer, m.AnyRequest], None]", on_gone: "Callable[[Peer], None]") -> None:
        self.views: dict[str, ScreenView] = {}
        self.watching = False
        self.wants_resources = False
        self.greeted = False
        self.away = False
        """Nobody looks at its terminal."""
        self.writable = True
        self.on_writable: Callable[[Peer], None] = lambda peer: None
        self._on_request = on_request
        self._on_gone = on_gone
        self._decoder: wire.Decoder[m.AnyRequest] = wire.Decoder(m.AnyRequest)
        self._transport: asyncio.Transport | None = None

    def send(self, message: m.AnyReply) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(wire.encode(message))
        if transport.get_write_buffer_size() > BACKLOG:
            transport.abort()

    @property
    def pid(self) -> int:
        """The client's process, 0 where the system does not tell."""
        return peer_pid(self._transport) if self._transport is not None else 0

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=FULL)

    def data_received(self, data: bytes) -> None:
        try:
            for request in self._decoder.feed(data):
                self._on_request(self, request)
        except ProtocolError as error:
            self.send(m.Failed(error="ProtocolError", text=str(error), hint=error.hint, exit_code=error.exit_code))
            self.close()

    def pause_writing(self) -> None:
        self.writable = False

    def resume_writing(self) -> None:
        self.writable = True
        self.on_writable(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._on_gone(self)
