"""Which processes belong to a session: all that descend from its holder, and all of its terminal session.

The holder is their subreaper, so a daemon that forked twice is still a descendant. A process is named by pid and start
time, because pids are used again.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Member(NamedTuple):
    pid: int
    start: str
    """When it started, in the system's own words; only ever compared."""
    parent: int
    sid: int
    command: str

    @property
    def label(self) -> str:
        words = " ".join(self.command.split())
        return f"{words if len(words) <= 100 else words[:99] + '…'} (pid {self.pid})"


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


def _stat(pid: int) -> list[bytes]:
    """Return the fields of /proc/PID/stat from the third (state) on: a program's name can hold anything."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []


def _command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb", buffering=0) as file:
            return file.read(4096).replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _everything() -> dict[int, tuple[str, int, int, str]]:
    """Return start, parent, session and (without /proc only) command of every living process."""
    found: dict[int, tuple[str, int, int, str]] = {}
    if sys.platform == "linux":
        for name in os.listdir("/proc"):
            if name.isdigit() and (fields := _stat(int(name))) and fields[0] not in (b"Z", b"X"):
                found[int(name)] = fields[19].decode(), int(fields[1]), int(fields[3]), ""
        return found
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        text = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid=,pgid=,state=,lstart=,command="], capture_output=True, timeout=5
        ).stdout
        for line in text.decode("utf-8", "replace").splitlines():
            pid, parent, group, state, *words = line.split()
            if not state.startswith("Z"):
                found[int(pid)] = " ".join(words[:5]), int(parent), int(group), " ".join(words[5:])
    return found


def members(roots: Iterable[int], *, session: tuple[int, str], without: int = 0) -> list[Member]:
    """Return `roots`, what descends from them, and the terminal session of `session` (pid, start), parents first.

    A session's number is not given to anybody else while it has members: if another process has it, it has none.
    """
    everything = _everything()
    children: dict[int, list[int]] = {}
    for pid, (_, parent, _, _) in everything.items():
        children.setdefault(parent, []).append(pid)
    order = [pid for pid in roots if pid in everything]
    leader, started = session
    if leader not in everything or everything[leader][0] == started:
        order += [pid for pid, facts in everything.items() if facts[2] == leader and pid not in order]
    seen = set(order)
    for pid in order:
        for child in children.get(pid, ()):
            if child not in seen:
                seen.add(child)
                order.append(child)
    found = []
    for pid in order:
        if pid != without:
            start, parent, sid, command = everything[pid]
            found.append(Member(pid, start, parent, sid, command or _command(pid)))
    return found


def divide(found: Iterable[Member], spare: Sequence[str], own: int) -> tuple[list[Member], list[Member]]:
    """Divide into those to end and those to spare: daemons by their command line, with all their descendants.

    `own`, the session's program itself, is never spared.
    """
    found = list(found)
    spared = {m.pid for m in found if m.pid != own and any(words in m.command for words in spare if words)}
    grew = bool(spared)
    while grew:
        more = {m.pid for m in found if m.parent in spared and m.pid != own} - spared
        spared |= more
        grew = bool(more)
    return [m for m in found if m.pid not in spared], [m for m in found if m.pid in spared]


def send(member: Member, number: int) -> None:
    """Signal exactly this process; one that has gone, or is not ours to signal, is left alone."""
    with contextlib.suppress(OSError):
        if sys.platform != "linux":
            os.kill(member.pid, number)
            return
        fd = os.pidfd_open(member.pid)
        try:
            if str(start_ticks(member.pid)) == member.start:
                signal.pidfd_send_signal(fd, number)
        finally:
            os.close(fd)
