"""When a file came into being: the one thing that tells an original transcript from a fork's exact copy of it.

Linux keeps the time but Python does not read it before 3.15, so it is asked of libc. Where nobody knows it, the time
of the last change has to do.
"""

import ctypes
import os
import struct
from typing import Final

_EMPTY_PATH: Final = 0x1000
_BTIME: Final = 0x800
_SIZE: Final = 256
_MASK: Final = struct.Struct("<I")
_WHEN: Final = struct.Struct("<qI")
_WHEN_AT: Final = 80
"""Offset of `stx_btime` in `struct statx` (statx(2))."""

_statx = getattr(ctypes.CDLL(None), "statx", None)


def born(fd: int, status: os.stat_result) -> int:
    """Return unix nanoseconds."""
    given = getattr(status, "st_birthtime", None)  # macOS
    if given is not None:
        return int(given * 1e9)
    if _statx is not None:
        found = ctypes.create_string_buffer(_SIZE)
        if _statx(fd, b"", _EMPTY_PATH, _BTIME, found) == 0 and _MASK.unpack_from(found)[0] & _BTIME:
            seconds, nanoseconds = _WHEN.unpack_from(found, _WHEN_AT)
            return int(seconds) * 10**9 + int(nanoseconds)
    return status.st_mtime_ns


def made(path: bytes) -> int:
    """Return the same of the file at `path`; 0 when it cannot be opened."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return 0
    try:
        return born(fd, os.fstat(fd))
    finally:
        os.close(fd)
