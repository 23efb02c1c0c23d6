"""Which processes belong to a session: all that descend from its holder, and all of its terminal session.

The holder is their subreaper, so a daemon that forked twice is still a descendant. A process is named by pid and start
time, because pids are used again.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from agentdeck.holder import proc

if sys.platform == "linux":
    from agentdeck.holder.proc import everything
else:
    from agentdeck.holder.ps import everything


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


def members(roots: Iterable[int], *, session: tuple[int, str], without: int = 0) -> list[Member]:
    """Return `roots`, what descends from them, and the terminal session of `session` (pid, start), parents first.

    A session's number is not given to anybody else while it has members: if another process has it, it has none.
    A start of "0" is not known.
    """
    facts = everything()
    children: dict[int, list[int]] = {}
    for pid, fact in facts.items():
        children.setdefault(fact.parent, []).append(pid)
    order = [pid for pid in roots if pid in facts]
    leader, started = session
    if leader not in facts or started in ("0", facts[leader].start):
        order += [pid for pid, fact in facts.items() if fact.sid == leader and pid not in order]
    seen = set(order)
    for pid in order:
        for child in children.get(pid, ()):
            if child not in seen:
                seen.add(child)
                order.append(child)
    found = []
    for pid in order:
        if pid != without:
            fact = facts[pid]
            found.append(Member(pid, fact.start, fact.parent, fact.sid, fact.command or proc.command(pid)))
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
            if str(proc.start_ticks(member.pid)) == member.start:
                signal.pidfd_send_signal(fd, number)
        finally:
            os.close(fd)
