"""The process table: one scan a second for every session's figures.

CPU is measured over a whole tree between two scans, with what finished children used: their parent inherits it when
it waits for them, so short-lived compilers count even if no scan ever saw them.
"""

import os
import time
from collections.abc import Callable, Iterable
from typing import Final

import psutil

from agentdeck.processes import detect
from agentdeck.processes.source import Process, arguments, descriptors, read_all
from agentdeck.protocol.messages import HostUsage, Usage

RESTING: Final = 1.0
"""Percent of a core under which a child counts as resting."""


class ProcessTable:
    """`read` and `now` are for tests. `now` must be monotonic."""

    def __init__(
        self, read: Callable[[], dict[int, Process]] | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read or read_all()
        self._now = now
        self._table: dict[int, Process] = {}
        self._before: dict[int, Process] = {}
        self._children: dict[int, list[int]] = {}
        self._at = 0.0
        self._elapsed = 0.0
        self._lines: dict[tuple[int, int], tuple[str, ...]] = {}
        self._roots: dict[tuple[int, int], tuple[float, float]] = {}
        """Per root: the CPU seconds of its tree at the last scan, and those per second since the one before."""

    def scan(self, roots: Iterable[int] = ()) -> None:
        """Read all processes. `roots` are the trees whose CPU is followed from scan to scan."""
        now = self._now()
        self._elapsed = now - self._at if self._table else 0.0
        self._before, self._table, self._at = self._table, self._read(), now
        children: dict[int, list[int]] = {}
        for process in self._table.values():
            children.setdefault(process.ppid, []).append(process.pid)
        self._children = children
        self._lines = {key: line for key, line in self._lines.items() if self._is_alive(*key)}
        followed: dict[tuple[int, int], tuple[float, float]] = {}
        for pid in roots:
            root = self._table.get(pid)
            if root is not None:
                followed[pid, root.start] = self._burned(root)
        self._roots = followed

    def tree(self, pid: int, sid: int | None = None) -> list[Process]:
        """Return the process and all its descendants, and what else belongs to session `sid`: orphans whose parent
        is gone are still found by it where nothing adopts them for us."""
        root = self._table.get(pid)
        if root is None:
            found: dict[int, Process] = {}
        else:
            found = {pid: root}
            waiting = [pid]
            while waiting:
                for child in self._children.get(waiting.pop(), ()):
                    if child not in found:
                        found[child] = self._table[child]
                        waiting.append(child)
        if sid:
            for process in self._table.values():
                if process.sid == sid:
                    found.setdefault(process.pid, process)
        return list(found.values())

    def usage(self, root_pid: int) -> Usage:
        """Return what a tree burns. A holder at its root is ours, so that it is left out of every figure."""
        root = self._table.get(root_pid)
        if root is None:
            return Usage()
        members = self.tree(root_pid)
        if detect.is_holder(self.arguments(root)):
            members.remove(root)
        _, cpu = self._roots.get((root_pid, root.start), (0.0, 0.0))
        busiest, busiest_cpu = self._busiest(members)
        return Usage(
            cpu=round(cpu * 100, 1),
            rss=sum(process.rss for process in members),
            threads=sum(process.threads for process in members),
            fds=sum(descriptors(process.pid) for process in members),
            processes=len(members),
            busiest=busiest,
            busiest_cpu=busiest_cpu,
        )

    def percent(self, process: Process) -> float:
        """Return the CPU percent that a process itself used between the last two scans."""
        return self._used(process) / self._elapsed * 100 if self._elapsed > 0 else 0.0

    def host(self) -> HostUsage:
        memory = psutil.virtual_memory()
        return HostUsage(
            cpu=psutil.cpu_percent(None),
            memory_used=memory.total - memory.available,
            memory_total=memory.total,
            load=round(os.getloadavg()[0], 2),
        )

    def arguments(self, process: Process) -> tuple[str, ...]:
        """Return the command line of a process in the table; it is read once, or again while it is still empty."""
        key = (process.pid, process.start)
        if not self._lines.get(key):
            self._lines[key] = arguments(process.pid)
        return self._lines[key]

    def _is_alive(self, pid: int, start: int) -> bool:
        process = self._table.get(pid)
        return process is not None and process.start == start

    def _burned(self, root: Process) -> tuple[float, float]:
        """Return the CPU seconds of a tree so far, and per second since the last scan.

        A tree can also lose seconds: those of a process whose parent did not wait for it. So the sum of what the
        living ones used is a lower bound.
        """
        members = self.tree(root.pid)
        holder = detect.is_holder(self.arguments(root))
        total = sum(process.cpu + process.reaped for process in members) - (root.cpu if holder else 0.0)
        before = self._roots.get((root.pid, root.start))
        if before is None or self._elapsed <= 0:
            return total, 0.0
        living = sum(self._used(process) for process in members if not (holder and process is root))
        return total, max(total - before[0], living, 0.0) / self._elapsed

    def _used(self, process: Process) -> float:
        """Return the CPU seconds that a process used since the last scan, or since it was born after that."""
        before = self._before.get(process.pid)
        if before is None or before.start != process.start:
            return process.cpu
        return process.cpu - before.cpu

    def _busiest(self, members: list[Process]) -> tuple[str, float]:
        """Return the name and CPU percent of the busiest process under the program, agents themselves excepted."""
        if self._elapsed <= 0:
            return "", 0.0
        for process in sorted(members, key=self._used, reverse=True):
            percent = round(self._used(process) / self._elapsed * 100, 1)
            if percent < RESTING:
                break
            line = self.arguments(process)
            if process is not members[0] and detect.provider(line, comm=process.comm) is None:
                return detect.spoken_name(line, process.comm), percent
        return "", 0.0
