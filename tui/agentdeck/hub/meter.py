"""What the sessions' processes burn: one scan of the process table a second, while somebody looks.

Without a client that wants resources there is no timer at all, and a client hears only of figures that changed.
"""

import asyncio
from collections.abc import Callable, Collection, Set
from typing import Final

from agentdeck.hub.peer import Peer
from agentdeck.hub.session import LiveSession
from agentdeck.processes.table import ProcessTable
from agentdeck.protocol import messages as m

EVERY: Final = 1.0
"""Seconds between two scans."""


class Meter:
    def __init__(self, running: Callable[[], Collection[LiveSession]], peers: Set[Peer]) -> None:
        self._running = running
        self._peers = peers
        self._timer: asyncio.TimerHandle | None = None
        self._table: ProcessTable | None = None
        self._sent: m.Resources | None = None

    def adjust(self) -> None:
        """Start or stop measuring: called when a client came or went, or a session began or ended."""
        wanted = any(peer.wants_resources for peer in self._peers)
        if wanted and self._timer is None:
            self._sent = None
            self._tick()
        elif not wanted:
            self.stop()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(EVERY, self._tick)
        if self._table is None:
            self._table = ProcessTable()
        roots = {session.info.id: session.info.holder_pid or session.info.pid for session in self._running()}
        self._table.scan(roots.values())
        usages = {name: self._table.usage(pid) for name, pid in roots.items()}
        resources = m.Resources(host=self._table.host(), sessions=usages)
        if resources != self._sent:
            self._sent = resources
            for peer in tuple(self._peers):
                if peer.wants_resources and peer.writable:
                    peer.send(resources)
