"""uvicorn's two protocols, with what a public door needs: deadlines, bounds, and a look at the write buffer.

A message to a thousand viewers is the same bytes a thousand times: frames from a server carry no mask and no state. So
they are made once and written to each transport, instead of going through every connection's own encoder.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request

HEAD_DEADLINE: Final = 10.0
"""Seconds in which a request must have arrived whole."""

HEAD_LIMIT: Final = 32 * 1024
BODY_LIMIT: Final = 64 * 1024
"""Bytes; what is larger is not read to its end."""

CONTROLS: Final = 30
"""Pings and pieces of messages that one connection may send in a second: neither is worth anything to us."""

EXTENSION: Final = "agentdeck.wire"
WAKE: Final = "agentdeck.wake"


class Door(HttpToolsProtocol):
    """HTTP for strangers: a request that does not arrive in time, or does not end, is cut off."""

    _deadline: asyncio.TimerHandle | None = None
    _taken = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._relax()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._taken += len(data)
        if self._taken > HEAD_LIMIT + BODY_LIMIT:
            self.transport.abort()
            return
        if self._deadline is None:
            self._expect()
        super().data_received(data)

    def on_message_complete(self) -> None:
        self._taken = 0
        self._relax()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._relax()
        super().handle_websocket_upgrade()

    def _expect(self) -> None:
        self._deadline = self.loop.call_later(HEAD_DEADLINE, self._too_late)

    def _relax(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        self.transport.abort()


class Wire(WebSocketsSansIOProtocol):
    """A socket that can be written to without waiting. The application finds it in its scope's extensions."""

    on_drained: Callable[[], None] | None = None
    """Called when everything that was written has left."""

    _controls = 0
    _controls_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=0)

    def handle_connect(self, event: Request) -> None:
        if not event.path.isascii():
            self.transport.abort()
            return
        super().handle_connect(event)
        if self.handshake_initiated and hasattr(self, "scope"):
            extensions = cast("dict[str, Any]", self.scope["extensions"])
            extensions[EXTENSION] = self

    def handle_ping(self) -> None:
        if self._is_busywork():
            self.conn.data_to_send()  # the answers are not sent
        else:
            super().handle_ping()

    def handle_cont(self, event: Frame) -> None:
        if not self._is_busywork():
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.fail(CloseCode.INVALID_DATA)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def keepalive_timeout(self) -> None:
        self.transport.abort()  # nobody is there to whom a close could be explained

    def _is_busywork(self) -> bool:
        """Count a frame that carries nothing; too many of them end the connection."""
        now = self.loop.time()
        if now - self._controls_since > 1.0:
            self._controls_since, self._controls = now, 0
        self._controls += 1
        if self._controls > CONTROLS:
            self.transport.abort()
        return self._controls > CONTROLS

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.on_drained is not None:
            self.on_drained()

    def write(self, frames: bytes) -> None:
        """Write finished frames, if the connection still stands."""
        if not (self.close_sent or self.disconnected or self.transport.is_closing()):
            self.transport.write(frames)

    @property
    def waiting(self) -> int:
        """Bytes that the other side has not taken yet."""
        return self.transport.get_write_buffer_size()

    def abort(self) -> None:
        self.transport.abort()

    def wake(self) -> None:
        """Make whoever waits for the next message look around: it gets an event of type `WAKE`."""
        self.queue.put_nowait(cast("Any", {"type": WAKE}))
