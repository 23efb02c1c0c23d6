"""What the sessions' processes burn: one scan of the process table a second, while somebody looks and something works.

Without a client that wants resources there is no timer at all; while every session rests a look every few seconds
will do. Figures are rounded to what a person can read, and a client hears only of those that changed.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Set
from typing import Final

import msgspec

from agentdeck.hub.peer import Peer
from agentdeck.hub.session import LiveSession
from agentdeck.processes.table import ProcessTable
from agentdeck.protocol import messages as m

EVERY: Final = 1.0
"""Seconds between two scans while a session works."""

AT_REST: Final = 10.0
"""Seconds between two scans while none does; one that begins to work wakes us."""

BUSY: Final = 2.0
"""Percent of a core from which a session's processes are at work, whatever its state says."""

MEGABYTE: Final = 1024 * 1024

RESTING: Final = frozenset({"idle", "done", "needs_you", "limited", "unknown"})

OnScan = Callable[[ProcessTable, Mapping[str, int], Mapping[str, m.Usage]], None]


class Meter:
    def __init__(self, running: Callable[[], Collection[LiveSession]], peers: Set[Peer]) -> None:
        self._running = running
        self._peers = peers
        self._timer: asyncio.TimerHandle | None = None
        self._table: ProcessTable | None = None
        self._sent: m.Resources | None = None
        self._quiet = self._resting = False
        self.on_scan: OnScan = lambda table, roots, usages: None
        """Called after each scan, with the process at the root of each session's tree."""

    def adjust(self) -> None:
        """Start or stop measuring: called when a client came or went, or a session began or ended."""
        wanted = any(peer.wants_resources for peer in self._peers)
        if wanted and self._timer is None:
            self._sent = None
            self._tick()
        elif not wanted:
            self.stop()

    def changed(self, session: LiveSession) -> None:
        """A session may have begun to work: look at once instead of at the end of a long rest."""
        if self._resting and session.running and session.info.state not in RESTING and self._timer is not None:
            self._timer.cancel()
            self._tick()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        running = self._running()
        self._resting = all(session.info.state in RESTING for session in running) and self._quiet
        self._timer = asyncio.get_running_loop().call_later(AT_REST if self._resting else EVERY, self._tick)
        if self._table is None:
            self._table = ProcessTable()
        roots = {session.info.id: session.info.holder_pid or session.info.pid for session in running}
        self._table.scan(roots.values())
        usages = {name: _readable(self._table.usage(pid)) for name, pid in roots.items()}
        self.on_scan(self._table, roots, usages)
        self._quiet = all(usage.cpu < BUSY for usage in usages.values())
        resources = m.Resources(host=_rounded(self._table.host(), rough=self._quiet), sessions=usages)
        if resources != self._sent:
            self._sent = resources
            for peer in tuple(self._peers):
                if peer.wants_resources and peer.writable:
                    peer.send(resources)


def _readable(usage: m.Usage) -> m.Usage:
    """Drop the digits that nobody reads and that change all the time."""
    busiest = usage.busiest if usage.busiest_cpu >= BUSY else ""
    return msgspec.structs.replace(
        usage,
        cpu=float(round(usage.cpu)),
        rss=round(usage.rss / MEGABYTE) * MEGABYTE,
        busiest=busiest,
        busiest_cpu=float(round(usage.busiest_cpu)) if busiest else 0.0,
    )


def _rounded(host: m.HostUsage, *, rough: bool) -> m.HostUsage:
    """The machine's own figures move all the time: while our sessions rest, only in steps that matter."""
    step, memory = (10.0, 512 * MEGABYTE) if rough else (1.0, 16 * MEGABYTE)
    return msgspec.structs.replace(
        host,
        cpu=round(host.cpu / step) * step,
        memory_used=round(host.memory_used / memory) * memory,
        load=float(round(host.load)),
    )
