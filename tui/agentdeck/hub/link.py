"""The hub's end of a holder: follow it, and tell it what people do.

A link delivers output in order, each byte once, and the exit only after the last of it. Nothing here ever blocks the
loop; what cannot be sent waits, up to `BACKLOG`, and is then refused with a sentence instead of growing.
"""

import asyncio
import json
import os
import socket
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agentdeck.errors import SessionError, UnsafePathError
from agentdeck.holder.door import peer_uid
from agentdeck.holder.frames import (
    CHECKPOINT_LIMIT,
    EXIT,
    GRACE,
    LIMIT,
    OFFSET,
    SIGNAL,
    WINSIZE,
    FrameTooLargeError,
    Hello,
    Parser,
    frame,
)
from agentdeck.holder.proc import is_alive, start_ticks
from agentdeck.holder.record import EXIT_SUFFIX, ExitRecord, exit_record
from agentdeck.hub.orphan import Exit, OrphanLink
from agentdeck.hub.start import HolderSpec, start_holder

__all__ = [
    "EXIT_SUFFIX",
    "Exit",
    "ExitRecord",
    "HolderLink",
    "HolderSpec",
    "OrphanLink",
    "exit_record",
    "start_holder",
]

ANSWER_DEADLINE: Final = 5.0

BACKLOG: Final = 8 * 1024 * 1024
"""Bytes that wait for a holder that takes nothing."""

ACK_EVERY: Final = 64 * 1024
"""Bytes; far below what a holder lets go out unacknowledged."""

_RECEIVE: Final = 128 * 1024


class HolderLink:
    """One connection to a holder. `connect` makes it; `close` lets go of the holder, which goes on."""

    def __init__(
        self,
        connection: socket.socket,
        on_output: Callable[[int, bytes], None],
        on_exit: Callable[[Exit], None],
        on_lost: Callable[[], None],
    ) -> None:
        self.hello: Hello
        self.on_refused: Callable[[str], None] = lambda _: None
        """Called with a sentence when the holder could not do what it was asked."""
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._on_output = on_output
        self._on_exit = on_exit
        self._on_lost = on_lost
        self._parser = Parser()
        self._greeted: asyncio.Future[Hello] = self._loop.create_future()
        self._waiting: dict[bytes, deque[asyncio.Future[bytes]]] = {}
        self._outgoing: deque[memoryview] = deque()
        self._outgoing_size = 0
        self._acked = 0
        self._received: list[int] = []
        self._master = -1
        self._ring = -1
        self._ended = False
        self._open = True
        self._holder_ticks = 0
        self._loop.add_reader(connection, self._on_readable)

    @classmethod
    async def connect(
        cls,
        socket: Path,
        *,
        on_output: Callable[[int, bytes], None],
        on_exit: Callable[[Exit], None],
        on_lost: Callable[[], None],
        deadline: float = 5.0,
    ) -> "HolderLink":
        """Raises `OSError` when nobody listens or answers within `deadline` seconds, `UnsafePathError`."""
        connection = await _dial(socket, deadline)
        link = cls(connection, on_output, on_exit, on_lost)
        try:
            link.hello = await asyncio.wait_for(link._greeted, deadline)
        except BaseException:
            link.close()
            raise
        link._holder_ticks = start_ticks(link.hello.holder_pid)
        return link

    @property
    def holder_is_alive(self) -> bool:
        """Whether the holder's process runs, reachable or not."""
        return is_alive(self.hello.holder_pid, self._holder_ticks)

    # ── what the holder is told ────────────────────────────────────────────────────────────────

    def replay(self, offset: int) -> None:
        """Have everything from `offset` on delivered, then what comes."""
        self._acked = offset
        self._send(frame(b"R", OFFSET.pack(offset)))

    def write(self, data: bytes) -> None:
        for start in range(0, len(data), LIMIT):
            self._send(frame(b"I", data[start : start + LIMIT]))

    def resize(self, cols: int, rows: int) -> None:
        self._send(frame(b"W", WINSIZE.pack(cols, rows)))

    def signal(self, number: int, *, foreground: bool = False) -> None:
        self._send(frame(b"S", SIGNAL.pack(number, int(foreground))))

    def store_checkpoint(self, offset: int, blob: bytes) -> None:
        """A blob over 64 KB is not kept: the one before it stays."""
        if len(blob) <= CHECKPOINT_LIMIT:
            self._send(frame(b"K", OFFSET.pack(offset) + blob))

    def ack(self, offset: int) -> None:
        """Say that everything before `offset` was taken in; without it the program is made to wait."""
        if offset - self._acked >= ACK_EVERY:
            self._acked = offset
            self._send(frame(b"A", OFFSET.pack(offset)))

    def acknowledge_exit(self) -> None:
        """The end was seen: the holder may leave."""
        self._send(frame(b"x"))

    # ── what it is asked ───────────────────────────────────────────────────────────────────────

    async def stop(self, grace: float) -> tuple[str, ...]:
        """End the whole process tree and return what was left running. Raises `SessionError` if the holder is lost."""
        try:
            answer = await self._ask(frame(b"Q", GRACE.pack(max(0, round(grace * 1000)))), b"L")
        except ConnectionError:
            if self._ended:
                return ()
            raise SessionError(
                "the session's holder was lost while it stopped the session", hint="stop it again"
            ) from None
        return tuple(json.loads(answer))

    async def ping(self, deadline: float) -> bool:
        """Whether the holder answers within `deadline` seconds."""
        try:
            await asyncio.wait_for(self._ask(frame(b"P"), b"P"), deadline)
        except OSError:
            return False
        return True

    async def master(self) -> int:
        """Return a duplicate of the PTY master. The link owns it and closes it; `OrphanLink.rescue` takes it over.

        Raises `OSError`.
        """
        if self._master < 0:
            await asyncio.wait_for(self._ask(frame(b"F"), b"F"), ANSWER_DEADLINE)
        return self._master

    async def checkpoint(self) -> tuple[int, bytes] | None:
        """Return what `store_checkpoint` stored last. Raises `OSError`."""
        answer = await asyncio.wait_for(self._ask(frame(b"k"), b"K"), ANSWER_DEADLINE)
        return (OFFSET.unpack_from(answer)[0], answer[OFFSET.size :]) if len(answer) > OFFSET.size else None

    def close(self) -> None:
        self._hang_up()
        for fd in (self._master, self._ring):
            if fd >= 0:
                os.close(fd)
        self._master = self._ring = -1

    def take_descriptors(self) -> tuple[int, int]:
        """Hand over the duplicates of the PTY master and of the ring's memory (-1: none) to the caller."""
        taken = self._master, self._ring
        self._master = self._ring = -1
        return taken

    # ── the connection ─────────────────────────────────────────────────────────────────────────

    async def _ask(self, question: bytes, kind: bytes) -> bytes:
        if not self._open:
            raise ConnectionResetError("the holder has gone")
        future: asyncio.Future[bytes] = self._loop.create_future()
        self._waiting.setdefault(kind, deque()).append(future)
        self._send(question)
        return await future

    def _send(self, data: bytes) -> None:
        if not self._open:
            return
        if self._outgoing_size + len(data) > BACKLOG:
            self.on_refused(f"{len(data):,} bytes were refused: the session's holder does not respond")
            return
        self._outgoing.append(memoryview(data))
        self._outgoing_size += len(data)
        if len(self._outgoing) == 1:
            self._flush()
            if self._outgoing:
                self._loop.add_writer(self._connection, self._flush)

    def _flush(self) -> None:
        while self._outgoing:
            data = self._outgoing[0]
            try:
                count = self._connection.send(data)
            except BlockingIOError:
                return
            except OSError:
                self._outgoing.clear()  # the reading side says so
                self._outgoing_size = 0
                break
            self._outgoing_size -= count
            if count < len(data):
                self._outgoing[0] = data[count:]
            else:
                self._outgoing.popleft()
        self._loop.remove_writer(self._connection)

    def _on_readable(self) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._connection, _RECEIVE, 4)
        except BlockingIOError:
            return
        except OSError:
            data, descriptors = b"", []
        self._received += descriptors
        if not data:
            self._lose()
            return
        try:
            for kind, payload in self._parser.feed(data):
                self._hear(kind, payload)
                if not self._open:
                    return
        except FrameTooLargeError:
            self._lose()

    def _hear(self, kind: bytes, payload: bytes) -> None:
        match kind:
            case b"O":
                self._on_output(OFFSET.unpack_from(payload)[0], payload[OFFSET.size :])
            case b"H":
                if not self._greeted.done():
                    self._greeted.set_result(Hello.unpack(payload))
            case b"X":
                self._ended = True
                status, number, total = EXIT.unpack_from(payload)
                self._on_exit(
                    Exit(status=status if status >= 0 else None, signal=number if number >= 0 else None, total=total)
                )
            case b"F":
                self._take(payload)
            case b"K" | b"L" | b"P":
                self._answer(kind, payload)
            case b"E":
                self.on_refused(payload.decode("utf-8", "replace"))
            case _:
                pass  # a newer holder's

    def _take(self, payload: bytes) -> None:
        received, self._received = self._received, []
        old = self._master, self._ring
        self._master, self._ring = (*received, -1, -1)[:2]
        for fd in (*old, *received[2:]):
            if fd >= 0:
                os.close(fd)
        self._answer(b"F", payload)

    def _answer(self, kind: bytes, payload: bytes) -> None:
        waiting = self._waiting.get(kind)
        while waiting:
            future = waiting.popleft()
            if not future.done():
                future.set_result(payload)
            return

    def _lose(self) -> None:
        was_greeted = self._greeted.done()
        self._hang_up()
        if was_greeted and not self._ended:
            self._on_lost()

    def _hang_up(self) -> None:
        if not self._open:
            return
        self._open = False
        self._flush()
        self._loop.remove_reader(self._connection)
        self._loop.remove_writer(self._connection)
        self._connection.close()
        for fd in self._received:
            os.close(fd)
        self._received.clear()
        gone = ConnectionResetError("the holder has gone")
        if not self._greeted.done():
            self._greeted.set_exception(gone)
            self._greeted.exception()  # asked for or not, it is no surprise
        for waiting in self._waiting.values():
            for future in waiting:
                if not future.done():
                    future.set_exception(gone)
                    future.exception()


async def _dial(path: Path, deadline: float) -> socket.socket:
    """Connect; a full accept queue says `try again` at once instead of making us wait, so we do the waiting."""
    until = time.monotonic() + deadline
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.setblocking(False)
    try:
        while True:
            try:
                connection.connect(os.fspath(path))
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise TimeoutError(f"{path} accepts no connection") from None
                await asyncio.sleep(0.02)
        if peer_uid(connection) != os.getuid():
            raise UnsafePathError(str(path), "is served by somebody else")
    except BaseException:
        connection.close()
        raise
    return connection
