"""What /proc says about processes, read with nothing but `open`. Without a /proc all of it is unknown."""

import os
import sys
from typing import NamedTuple


class Facts(NamedTuple):
    start: str
    """When it started, in the system's own words; only ever compared."""
    parent: int
    sid: int
    command: str
    """Empty here: reading it for every process would take long, see `command`."""


def start_ticks(pid: int) -> int:
    """Return field 22 of /proc/PID/stat, 0 where that cannot be had."""
    fields = _stat(pid)
    return int(fields[19]) if fields else 0


def is_alive(pid: int, ticks: int) -> bool:
    """Whether the process that started at `ticks` (0: not known) still runs; a zombie does not."""
    fields = _stat(pid)
    if fields:
        return fields[0] not in (b"Z", b"X") and ticks in (0, int(fields[19]))
    if sys.platform == "linux":
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def command(pid: int) -> str:
    """Return the command line, its words joined by blanks."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb", buffering=0) as file:
            return file.read(4096).replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return ""


def everything() -> dict[int, Facts]:
    """Return the facts of every living process by pid."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := _stat(int(name))) and fields[0] not in (b"Z", b"X"):
            found[int(name)] = Facts(fields[19].decode(), int(fields[1]), int(fields[3]), "")
    return found


def _stat(pid: int) -> list[bytes]:
    """Return the fields of /proc/PID/stat from the third (state) on: a program's name can hold anything."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []
