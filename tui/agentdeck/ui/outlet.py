"""Write to the terminal from the event loop, at once and without ever waiting for it.

The terminal's descriptors are shared with whatever started us, so they stay blocking; this writes through a
description of its own. When the terminal reads slowly the rest waits here. Behind `LIMIT` bytes frames are dropped,
because one that nobody sees in time is worth nothing, and `on_caught_up` asks for a whole fresh one once the terminal
has read the rest.
"""

import asyncio
import os
import select
import time
from collections.abc import Callable
from typing import Final

LIMIT: Final = 256 * 1024


class Outlet:
    def __init__(self, fd: int, loop: asyncio.AbstractEventLoop, on_caught_up: Callable[[], None]) -> None:
        """`fd` is a non-blocking descriptor, which this closes."""
        self._fd = fd
        self._loop = loop
        self._on_caught_up = on_caught_up
        self._pending: list[str] = []
        self._waiting = b""
        self._flush_due = False
        self._keep = False
        self._dropped = False
        self._gone = False

    @classmethod
    def of_terminal(cls, fd: int, loop: asyncio.AbstractEventLoop, on_caught_up: Callable[[], None]) -> "Outlet | None":
        """None when `fd` is no terminal, or one that cannot be opened by its name from here."""
        try:
            own = os.open(os.ttyname(fd), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        return cls(own, loop, on_caught_up)

    @property
    def backlog(self) -> int:
        """Bytes that the terminal has not taken yet. A painter that cares waits until it is 0."""
        return len(self._waiting)

    def write(self, text: str, *, keep: bool = False) -> None:
        """Queue text; it goes out with the next `flush`, or when the loop is next idle. `keep`: never drop it."""
        self._pending.append(text)
        self._keep |= keep
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        self._flush_due = False
        if not self._pending:
            return
        data = "".join(self._pending).encode("utf-8", "replace")
        self._pending.clear()
        keep, self._keep = self._keep, False
        if len(self._waiting) > LIMIT and not keep:
            self._dropped = True
        elif self._waiting:
            self._waiting += data
        else:
            self._waiting = self._put(data)
            if self._waiting:
                self._loop.add_writer(self._fd, self._on_writable)

    def finish(self, patience: float) -> None:
        """Write everything, waiting for the terminal up to `patience` seconds. For the end: it holds up the loop."""
        self.flush()
        if self._fd < 0:
            return
        self._loop.remove_writer(self._fd)
        until = time.monotonic() + patience
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        while self._waiting and (left := until - time.monotonic()) > 0:
            poll.poll(left * 1000)
            self._waiting = self._put(self._waiting)

    def close(self) -> None:
        if self._fd >= 0:
            if not self._loop.is_closed():
                self._loop.remove_writer(self._fd)
            os.close(self._fd)
            self._fd, self._gone = -1, True

    def _put(self, data: bytes) -> bytes:
        """Write what the terminal takes now, and return the rest."""
        while data and not self._gone:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:
                return data
            except OSError:
                self._gone = True  # hung up: the reading side hears of it too, and ends the app
        return b""

    def _on_writable(self) -> None:
        self._waiting = self._put(self._waiting)
        if self._waiting:
            return
        self._loop.remove_writer(self._fd)
        if self._dropped:
            self._dropped = False
            self._on_caught_up()
