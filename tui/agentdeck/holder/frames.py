"""The holder's protocol, frozen: a holder of any age must be understood by a hub of any age.

A frame is `u8 type, u32 length (little-endian), payload`. Unknown types are ignored by both sides. Offsets are
absolute: the number of bytes that the PTY had given out before, so a reader resumes without gap or repeat.

client → holder                                holder → client
  R u64            replay from, then stream      H  Hello            on connect, before anything else
  I bytes          input                         O  u64, bytes       output that starts at this offset
  W u16 u16        columns, rows                 X  i32 i32 u64      status, signal (-1 none), total bytes
  S u8 u8          signal, target (0 child,      F  (SCM_RIGHTS)     a duplicate of the PTY master
                   1 foreground group)           K  u64, bytes       the stored checkpoint (empty: none)
  F                ask for the PTY master and,   P                   pong
                   where there is memfd, the
                   ring's memory
  A u64            everything before is read     L  json             stop is over: what was left running
  K u64, bytes     store a checkpoint            E  utf-8            a request failed, in words
  k                ask for the checkpoint
  P                ping
  Q u32            stop the tree, grace in ms
  x                the exit was seen: leave
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

VERSION: Final = 1
HEADER: Final = struct.Struct("<BI")
LIMIT: Final = 4 * 1024 * 1024
"""Bytes in one payload; a peer that announces more is dropped."""

CHECKPOINT_LIMIT: Final = 64 * 1024
RING: Final = 1024 * 1024
UNACKED_LIMIT: Final = 512 * 1024

_HELLO: Final = struct.Struct("<HIQ36sQQHHi")
OFFSET: Final = struct.Struct("<Q")
WINSIZE: Final = struct.Struct("<HH")
SIGNAL: Final = struct.Struct("<BB")
EXIT: Final = struct.Struct("<iiQ")
GRACE: Final = struct.Struct("<I")


class Hello(NamedTuple):
    """Who the holder is and what it has. Fields are only ever appended."""

    version: int
    pid: int
    """The child's, 0 once it is reaped."""
    start_ticks: int
    """Field 22 of /proc/PID/stat: with the pid and boot id it names one process for ever."""
    boot_id: str
    total: int
    """Bytes that the PTY has given so far."""
    base: int
    """The oldest offset that can still be replayed."""
    cols: int
    rows: int
    holder_pid: int

    def pack(self) -> bytes:
        fields: tuple[object, ...] = self
        return _HELLO.pack(*fields[:3], self.boot_id.encode("ascii"), *fields[4:])

    @classmethod
    def unpack(cls, payload: bytes) -> "Hello":
        version, pid, ticks, boot, total, base, cols, rows, holder_pid = _HELLO.unpack_from(payload)
        return cls(version, pid, ticks, boot.rstrip(b"\0").decode("ascii"), total, base, cols, rows, holder_pid)


class FrameTooLargeError(ValueError):
    """The peer announced a payload over `LIMIT`; the connection cannot be trusted any more."""


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    return HEADER.pack(kind[0], len(payload)) + payload


class Parser:
    """Cut a byte stream into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield (type, payload) for every frame that `data` completes. Raises `FrameTooLargeError`."""
        buffer = self._buffer
        buffer += data
        start = 0
        try:
            while len(buffer) - start >= HEADER.size:
                kind, size = HEADER.unpack_from(buffer, start)
                if size > LIMIT:
                    raise FrameTooLargeError(size)
                end = start + HEADER.size + size
                if end > len(buffer):
                    break
                payload = bytes(buffer[start + HEADER.size : end])
                start = end
                yield bytes((kind,)), payload
        finally:
            del buffer[:start]
