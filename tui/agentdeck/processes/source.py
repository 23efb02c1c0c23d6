"""Read every process of the machine once.

Linux gives a whole row in one small file; reading those directly costs a tenth of what psutil does, which is used
elsewhere. A process that vanishes while it is read is left out; nothing here raises for one.
"""

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import psutil

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Process(NamedTuple):
    pid: int
    ppid: int
    sid: int
    """The session (setsid) that it belongs to."""
    comm: str
    """The kernel's name for it: at most 15 characters on Linux."""
    start: int
    """When it started, in units of the system's own: with the pid it names this process and no later one."""
    cpu: float
    """Seconds of CPU that it used itself."""
    reaped: float
    """Seconds of CPU of the children that it has waited for."""
    rss: int
    threads: int


def from_proc() -> dict[int, Process]:
    table: dict[int, Process] = {}
    opened, read, close = os.open, os.read, os.close
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            descriptor = opened(f"/proc/{name}/stat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            row = read(descriptor, 1024)
        except OSError:
            continue
        finally:
            close(descriptor)
        process = parse_stat(row)
        if process is not None:
            table[process.pid] = process
    return table


def parse_stat(row: bytes) -> Process | None:
    """Read one line of /proc/PID/stat; see proc(5). The name is in parentheses and may hold any byte but NUL."""
    opening, closing = row.find(b"("), row.rfind(b")")
    fields = row[closing + 2 :].split()
    if opening < 0 or len(fields) < 22:
        return None
    return Process(
        int(row[:opening]),
        int(fields[1]),
        int(fields[3]),
        row[opening + 1 : closing].decode("utf-8", "replace"),
        int(fields[19]),
        (int(fields[11]) + int(fields[12])) / _TICKS,
        (int(fields[13]) + int(fields[14])) / _TICKS,
        int(fields[21]) * _PAGE,
        int(fields[17]),
    )


def from_psutil() -> dict[int, Process]:
    table: dict[int, Process] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError), process.oneshot():
            pid = process.pid
            try:
                times, rss, threads = process.cpu_times(), process.memory_info().rss, process.num_threads()
                used, reaped = times.user + times.system, times.children_user + times.children_system
            except psutil.AccessDenied:  # another user's process on macOS: it only links the tree
                used, reaped, rss, threads = 0.0, 0.0, 0, 0
            start = int(process.create_time() * 1000)
            table[pid] = Process(pid, process.ppid(), os.getsid(pid), process.name(), start, used, reaped, rss, threads)
    return table


def read_all() -> Callable[[], dict[int, Process]]:
    """Return the reader for this system."""
    return from_proc if sys.platform == "linux" else from_psutil


def arguments(pid: int) -> tuple[str, ...]:
    """Return the command line of a process, empty when it is gone, a zombie or not ours to see."""
    if sys.platform == "linux":
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ()
        return tuple(part.decode("utf-8", "replace") for part in raw.rstrip(b"\0").split(b"\0")) if raw else ()
    try:
        return tuple(psutil.Process(pid).cmdline())
    except (psutil.Error, OSError):
        return ()


def descriptors(pid: int) -> int:
    """Return how many file descriptors a process has open, 0 when that is not ours to see."""
    try:
        if sys.platform == "linux":
            return len(os.listdir(f"/proc/{pid}/fd"))
        return psutil.Process(pid).num_fds()
    except (psutil.Error, OSError):
        return 0
