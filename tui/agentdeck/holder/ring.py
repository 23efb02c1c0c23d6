"""The last megabyte that a program printed, addressed by absolute offset, in memory that outlives its holder.

Where the system has memfd, the hub gets a duplicate of the memory together with the PTY master: when a holder is
killed, what it had read from the PTY but not passed on yet is still there. Bytes go from the PTY straight into the
ring, so the only moment at which they could be lost is between the kernel's copy and our note of it; the area that
the next read may fill is therefore painted with a byte that no terminal output uses, and what a dead holder left
beyond its last note is what is no longer paint.
"""

import mmap
import os
import struct
import sys
from contextlib import suppress
from typing import Final

from agentdeck.holder.frames import RING

CHUNK: Final = 4096
"""The most that Linux gives out of a PTY at once."""

_CAPACITY: Final = RING + CHUNK
_HEAD: Final = mmap.PAGESIZE
_NOTE: Final = struct.Struct("<QQ")
"""Bytes read so far, and the offset at which the painted area begins."""

_NOTHING_PAINTED: Final = 2**64 - 1
_PAINT: Final = b"\xff"
_WALL: Final = _PAINT * CHUNK


class Ring:
    """One writer. `fd` is the memory's descriptor, -1 where the system has no memfd."""

    def __init__(self) -> None:
        self.fd = -1
        if sys.platform == "linux":
            with suppress(OSError):  # a limit on file sizes counts here too: then the memory is ours alone
                fd = os.memfd_create("agentdeck-ring", os.MFD_CLOEXEC)
                os.truncate(fd, _HEAD + _CAPACITY)
                self.fd = fd
        self._memory = mmap.mmap(self.fd, _HEAD + _CAPACITY)
        self._data = memoryview(self._memory)[_HEAD:]
        self.total = 0
        _NOTE.pack_into(self._memory, 0, 0, _NOTHING_PAINTED)

    @property
    def base(self) -> int:
        """The oldest offset that is still there."""
        return max(0, self.total - RING)

    def fill(self, fd: int) -> int:
        """Read once from `fd` and return the number of bytes; 0 is the end. Raises what the read raises."""
        start = self.total % _CAPACITY
        room = self._data[start : start + CHUNK]
        room[:] = _WALL[: len(room)]
        rooms = [room]
        if len(room) < CHUNK:
            rest = self._data[: CHUNK - len(room)]
            rest[:] = _WALL[: len(rest)]
            rooms.append(rest)
        _NOTE.pack_into(self._memory, 0, self.total, self.total)
        count = os.readv(fd, rooms)
        self.total += count
        _NOTE.pack_into(self._memory, 0, self.total, _NOTHING_PAINTED if count else self.total)
        return count

    def parts(self, offset: int, limit: int) -> list[memoryview]:
        """Return up to `limit` bytes from `offset` without copying; valid until the next `fill`."""
        return _parts(self._data, offset, min(limit, self.total - offset))

    def tail(self, limit: int) -> bytes:
        """Return the last bytes, from the beginning of a line if something had to be cut off."""
        start = max(self.base, self.total - limit)
        data = b"".join(self.parts(start, limit))
        if start > 0:
            data = data[data.find(b"\n") + 1 :]
        return data


def _parts(data: memoryview, offset: int, size: int) -> list[memoryview]:
    start = offset % _CAPACITY
    first = data[start : start + size]
    return [first, data[: size - len(first)]] if len(first) < size else [first]


def recover(fd: int, offset: int) -> tuple[int, bytes]:
    """Return what a dead holder's ring has from `offset` on, and where that really begins."""
    with mmap.mmap(fd, _HEAD + _CAPACITY, prot=mmap.PROT_READ) as memory, memoryview(memory) as view:
        total, painted = _NOTE.unpack_from(view)
        with view[_HEAD:] as data:
            unnoted = b"".join(_parts(data, total, CHUNK)).rstrip(_PAINT) if painted == total else b""
            start = max(offset, total - RING, 0)
            return start, b"".join(_parts(data, start, max(0, total - start))) + unnoted
