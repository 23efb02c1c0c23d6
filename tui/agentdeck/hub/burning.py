"""What sessions' processes burn, joined with what their agents do: figures of calls, and servers that keep growing."""

import time
from collections.abc import Mapping
from typing import Final

from agentdeck.hub.facts import FactsDesk
from agentdeck.live.burn import Burn, Memory
from agentdeck.processes.servers import Server, servers
from agentdeck.processes.table import ProcessTable
from agentdeck.protocol import insight as i
from agentdeck.protocol import messages as m

MEGABYTE: Final = 1024 * 1024

RSS_STEP: Final = 4 * MEGABYTE
"""To which the memory of a server that is no small one is rounded: what nobody can read is no news."""

SMALL: Final = 64 * MEGABYTE

LONGEST: Final = 5.0
"""Seconds: what a sample after a longer pause says is counted for no more."""

SHOWN: Final = 3


class Burning:
    def __init__(self, facts: FactsDesk) -> None:
        self._facts = facts
        self._burns: dict[str, Burn] = {}
        self._servers: dict[str, dict[str, tuple[Server, Memory]]] = {}
        """Of each session, by name."""
        self._scanned = 0.0
        self.cpu: dict[str, float] = {}
        """Percent of a core of each session's processes."""

    def forget(self, key: str) -> None:
        for known in (self._burns, self._servers, self.cpu):
            known.pop(key, None)

    def of(self, key: str, call: str) -> str:
        """What the processes of a call burned, in words; empty when that is not worth telling."""
        burn = self._burns.get(key)
        return burn.of(call) if burn is not None else ""

    def scanned(self, table: ProcessTable, roots: Mapping[str, int], usages: Mapping[str, m.Usage]) -> set[str]:
        """Take in a look at the process table; return the sessions of whose servers there is news."""
        now = time.monotonic()
        elapsed, self._scanned = min(now - self._scanned, LONGEST), now
        news = set()
        for key, usage in usages.items():
            self.cpu[key] = usage.cpu
            live = self._facts.live(key)
            if live is not None and live.pending:
                burn = self._burns.setdefault(key, Burn())
                burn.sample(live.pending.values(), usage.busiest, usage.busiest_cpu, usage.cpu, elapsed)
            before = self.servers(key)
            self._follow(key, servers((each, table.arguments(each)) for each in table.tree(roots[key])), now)
            if self.servers(key) != before:
                news.add(key)
        return news

    def _follow(self, key: str, found: list[Server], now: float) -> None:
        known = self._servers.get(key, {})
        followed = {}
        for server in found:
            before, memory = known.get(server.name, (server, Memory(server.name)))
            if before.process[::4] != server.process[::4]:  # pid and start: it was started anew
                memory = Memory(server.name)
            memory.add(now, server.rss)
            followed[server.name] = server, memory
        self._servers[key] = followed

    def servers(self, key: str) -> tuple[i.Server, ...]:
        """The largest first."""
        found = sorted(self._servers.get(key, {}).values(), key=lambda each: (-each[0].rss, each[0].name))
        return tuple(
            i.Server(server.name, server.process.pid, _rounded(server.rss), memory.leaks)
            for server, memory in found[:SHOWN]
        )

    def growing(self, key: str) -> list[str]:
        """The servers that look as if they leak, each with how fast."""
        return [_growth(memory) for _, memory in self._servers.get(key, {}).values() if memory.leaks]


def _rounded(rss: int) -> int:
    step = RSS_STEP if rss >= SMALL else MEGABYTE
    return round(rss / step) * step


def _growth(memory: Memory) -> str:
    per_minute = memory.slope * 60 / MEGABYTE
    return f"{memory.name} grows by {per_minute:.0f} MB a minute and has {memory.rss // MEGABYTE} MB"
