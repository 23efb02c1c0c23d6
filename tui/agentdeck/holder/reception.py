"""Everybody who is connected to a holder. One that misbehaves or goes is dropped; the others notice nothing."""

import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Final

from agentdeck.holder.frames import FrameTooLargeError
from agentdeck.holder.ring import Ring
from agentdeck.holder.visitor import GoneError, Visitor

_VISITORS: Final = 16
"""Connections at once; a hub needs one."""

_RECEIVE: Final = 64 * 1024


class Reception:
    """`obey` is called with every frame that a visitor sends."""

    def __init__(self, ring: Ring, obey: Callable[[Visitor, bytes, bytes], None]) -> None:
        self._ring = ring
        self._obey = obey
        self._visitors: dict[int, Visitor] = {}
        self._left: list[int] = []

    def welcome(self, connection: socket.socket, greeting: bytes) -> None:
        if len(self._visitors) >= _VISITORS:
            connection.close()
            return
        visitor = Visitor(connection, self._ring, time.monotonic())
        self._visitors[connection.fileno()] = visitor
        self.say(visitor, greeting)

    def masks(self) -> dict[int, int]:
        """Return what to wait for, by descriptor; 0 for one that has been closed since the last call."""
        masks = dict.fromkeys(self._left, 0)
        self._left.clear()
        for fd, visitor in self._visitors.items():
            masks[fd] = select.POLLIN | (select.POLLOUT if visitor.blocked else 0)
        return masks

    def __contains__(self, visitor: object) -> bool:
        return visitor in self._visitors.values()

    def held_up(self, now: float) -> bool:
        """Whether the program should wait for a reader."""
        held = False
        for visitor in tuple(self._visitors.values()):
            try:
                held = visitor.holds_up(now) or held
            except GoneError:
                self._drop(visitor)
        return held

    def say(self, visitor: Visitor, message: bytes, *descriptors: int) -> None:
        try:
            visitor.say(message, *descriptors)
            visitor.pump()
        except GoneError:
            self._drop(visitor)

    def pump(self, ending: bytes) -> None:
        """Pass on what is new; `ending`, if there is one, to everybody who has all the output before it."""
        for visitor in tuple(self._visitors.values()):
            self._pump(visitor, ending)

    def serve(self, fd: int, ending: bytes) -> bool:
        """Send to and hear the visitor with this descriptor. Returns False if there is none."""
        visitor = self._visitors.get(fd)
        if visitor is None:
            return False
        if visitor.blocked:
            self._pump(visitor, ending)
        try:
            data = visitor.connection.recv(_RECEIVE)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        try:
            if not data:
                raise GoneError
            for kind, payload in visitor.parser.feed(data):
                self._obey(visitor, kind, payload)
        except (GoneError, FrameTooLargeError, struct.error):
            self._drop(visitor)
        return True

    def _pump(self, visitor: Visitor, ending: bytes) -> None:
        try:
            visitor.pump()
            if ending and not visitor.told_exit and visitor.is_current:
                visitor.told_exit = True
                visitor.say(ending)
                visitor.pump()
        except GoneError:
            self._drop(visitor)

    def _drop(self, visitor: Visitor) -> None:
        fd = visitor.connection.fileno()
        if fd >= 0:
            del self._visitors[fd]
            self._left.append(fd)
            visitor.connection.close()
