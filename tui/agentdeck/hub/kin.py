"""Whose process is at the other end of a socket, and whom it descends from: said by the kernel, not by the process."""

import asyncio
import socket
import struct
from pathlib import Path
from typing import Final

_ANCESTORS: Final = 64


def peer_pid(transport: asyncio.BaseTransport) -> int:
    """The process at the other end of a unix socket, 0 where the system does not tell."""
    connection = transport.get_extra_info("socket")
    option = getattr(socket, "SO_PEERCRED", None)
    if connection is None or option is None:
        return 0
    try:
        pid, _, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i")))
    except OSError:
        return 0
    return int(pid)


def ancestors(pid: int) -> list[int]:
    """The process and those that it descends from, nearest first; as far as they still are."""
    found: list[int] = []
    while pid > 1 and pid not in found and len(found) < _ANCESTORS:
        found.append(pid)
        pid = _parent(pid)
    return found


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        pass
    if Path("/proc/self/stat").exists():
        return 0
    import psutil

    try:
        return int(psutil.Process(pid).ppid())
    except psutil.Error:
        return 0
