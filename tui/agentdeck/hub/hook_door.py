"""Where hooks knock: a socket of its own, beside the hub's, that speaks what a hook can speak in a few milliseconds.

A question is one line of words and the CLI's JSON; the answer is frames of a letter and a length: `W` a person is being
asked, for so many seconds · `A` this goes to the CLI. Nothing that arrives here is believed: whose it is says the
kernel, by the process that connected.
"""

import asyncio
import contextlib
import os
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agentdeck.approvals.payload import LONGEST
from agentdeck.hub.kin import peer_pid
from agentdeck.hub.listener import bind

NAME: Final = "approvals.sock"
SLOW: Final = 10.0
"""Seconds that a question may take to arrive."""
HEAD: Final = 512
_HEAD: Final = re.compile(rb"agentdeck-hook/1 (\S{1,32}) (\S{1,64}) (\S{1,64}) (\d{1,10}) (\d{1,9})\n")


@dataclass(slots=True)
class Question:
    """One hook that waits. `answer` may be called once; later calls do nothing."""

    provider: str
    event: str
    session: str
    """What the hook's environment says; a hint, no proof."""
    pid: int
    """The process that connected; 0 where the system does not tell."""
    data: bytes
    _transport: asyncio.Transport
    on_gone: Callable[[], None] = field(default=lambda: None)
    """Called when the hook went away before it was answered."""
    answered: bool = False

    def wait(self, seconds: float) -> None:
        """Tell the hook that a person is asked, and for how long it has to expect no answer."""
        if not self._transport.is_closing():
            body = f"{seconds:.0f}".encode()
            self._transport.write(b"W" + len(body).to_bytes(4, "big") + body)

    def answer(self, out: bytes) -> bool:
        """Hand over what the CLI gets. False when nobody is there any more."""
        if self.answered or self._transport.is_closing():
            return False
        self.answered = True
        self._transport.write(b"A" + len(out).to_bytes(4, "big") + out)
        self._transport.close()
        return True


class _Knock(asyncio.Protocol):
    def __init__(self, asked: Callable[[Question], None]) -> None:
        self._asked = asked
        self._buffer = bytearray()
        self._question: Question | None = None
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._timer = asyncio.get_running_loop().call_later(SLOW, transport.abort)

    def data_received(self, data: bytes) -> None:
        transport = self._transport
        if self._question is not None or transport is None:
            return
        self._buffer += data
        match = _HEAD.match(self._buffer)
        if match is None:
            if len(self._buffer) > HEAD or b"\n" in self._buffer:
                transport.abort()
            return
        size = int(match[5])
        if size > LONGEST:
            transport.abort()
        elif len(self._buffer) >= match.end() + size:
            words = [match[n].decode("ascii", "replace") for n in (1, 2, 3)]
            body = bytes(self._buffer[match.end() : match.end() + size])
            self._question = Question(words[0], words[1], words[2], peer_pid(transport), body, transport)
            if self._timer is not None:
                self._timer.cancel()
            self._asked(self._question)

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._question is not None and not self._question.answered:
            self._question.answered = True
            self._question.on_gone()


class HookDoor:
    """Listens from `open` to `close`; `guard` opens again when somebody removed the socket."""

    def __init__(self, path: Path, asked: Callable[[Question], None]) -> None:
        self.path = path
        self._asked = asked
        self._server: asyncio.Server | None = None
        self._opening: asyncio.Task[None] | None = None
        self._inode = -1

    def open(self) -> None:
        """Take connections in from now on. Raises `OSError` when the socket cannot be made."""
        listener = bind(self.path)
        self._inode = os.stat(self.path).st_ino
        self._opening = asyncio.get_running_loop().create_task(self._serve(listener))

    async def _serve(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        old, self._server = self._server, await loop.create_unix_server(lambda: _Knock(self._asked), sock=listener)
        if old is not None:
            old.close()

    def guard(self) -> None:
        """Raises `OSError` like `open`."""
        if self._inode >= 0 and _inode(self.path) != self._inode:
            self.open()

    def close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
        if self._server is not None:
            self._server.close()
        if self._inode >= 0 and _inode(self.path) == self._inode:
            with contextlib.suppress(OSError):
                self.path.unlink()
        self._inode = -1


def _inode(path: Path) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return -2
