"""One connection to a holder: what it may still see, what it has read, and what waits to be sent to it.

Output is never copied per connection: each has a place in the ring and is sent from there whenever its socket takes
something. So a reader that is slow, stopped or dead costs nothing but the wait that flow control grants it.
"""

import socket
from collections import deque
from typing import Final

from agentdeck.holder.frames import HEADER, OFFSET, RING, UNACKED_LIMIT, Parser
from agentdeck.holder.ring import CHUNK, Ring

PATIENCE: Final = 5.0
"""Seconds for which the program waits for a reader that says nothing; then the reader is let go."""

WELCOME: Final = 2.0
"""Seconds for which a new reader finds the ring as it was told; then it has to take what is there."""

_BITE: Final = 64 * 1024
_ANSWERS: Final = 512 * 1024
"""Bytes of answers for one that asks and never reads."""


class GoneError(Exception):
    """The connection cannot be used any more."""


class Visitor:
    def __init__(self, connection: socket.socket, ring: Ring, now: float) -> None:
        self.connection = connection
        self.parser = Parser()
        self.follows = False
        self.told_exit = False
        self.blocked = False
        """Whether something waits for the socket to take it."""
        self._ring = ring
        self._sent = 0
        self._read = ring.base
        self._welcome_until = now + WELCOME
        self._silent_since: float | None = None
        self._answers: deque[tuple[memoryview, tuple[int, ...]]] = deque()
        self._answers_size = 0

    # ── what it reads ──────────────────────────────────────────────────────────────────────────

    def follow(self, offset: int) -> None:
        """Send everything from `offset` on, or from the oldest that is left."""
        self._sent = self._read = min(max(offset, self._ring.base), self._ring.total)
        self.follows, self.told_exit = True, False
        self._silent_since = None

    def ack(self, offset: int) -> None:
        if self._read < offset <= self._sent:
            self._read = offset
            self._silent_since = None

    def holds_up(self, now: float) -> bool:
        """Whether the program should wait for this reader. Raises `GoneError` when it has waited long enough."""
        if not self.follows:
            # It was told where the ring begins: keep that until it says from where it wants to read.
            return now < self._welcome_until and self._ring.total + CHUNK > self._read + RING
        if self._ring.total - self._read <= UNACKED_LIMIT:
            self._silent_since = None
            return False
        if self._silent_since is None:
            self._silent_since = now
        if now - self._silent_since > PATIENCE:
            raise GoneError
        return True

    @property
    def is_current(self) -> bool:
        return self.follows and self._sent == self._ring.total

    # ── what it is sent ────────────────────────────────────────────────────────────────────────

    def say(self, message: bytes, *descriptors: int) -> None:
        """Queue an answer. Raises `GoneError` when too many were not read."""
        self._answers_size += len(message)
        if self._answers_size > _ANSWERS:
            raise GoneError
        self._answers.append((memoryview(message), descriptors))

    def pump(self) -> None:
        """Send what the socket takes: answers first, then output. Raises `GoneError`."""
        try:
            while self._answers:
                self._send_answer()
            while self.follows and self._sent < self._ring.total:
                self._send_output()
            self.blocked = False
        except BlockingIOError:
            self.blocked = True
        except OSError as error:
            raise GoneError from error

    def _send_answer(self) -> None:
        message, descriptors = self._answers[0]
        if descriptors:
            count = socket.send_fds(self.connection, [message], descriptors)
        else:
            count = self.connection.send(message)
        self._answers_size -= count
        if count < len(message):
            self._answers[0] = message[count:], ()
            raise BlockingIOError
        self._answers.popleft()

    def _send_output(self) -> None:
        size = min(_BITE, self._ring.total - self._sent)
        head = HEADER.pack(ord("O"), OFFSET.size + size) + OFFSET.pack(self._sent)
        parts = self._ring.parts(self._sent, size)
        count = self.connection.sendmsg([head, *parts])
        self._sent += size
        if count < len(head) + size:
            rest = (head + b"".join(parts))[count:]
            self._answers.appendleft((memoryview(rest), ()))
            self._answers_size += len(rest)
            raise BlockingIOError
