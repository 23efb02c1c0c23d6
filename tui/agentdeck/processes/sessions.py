"""Every agent session that runs for this user, found by its processes; wrappers count as what they wrap.

Pure over a `Look`. What is no session of a person's is left out: desktop applications, daemons, updaters, MCP servers
and other helpers (`processes.detect`), and the processes of other users.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from agentdeck.processes import detect
from agentdeck.processes.look import Look
from agentdeck.processes.source import Process


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One running agent CLI. `pid` and `start` together name its outermost process, and no later one."""

    provider: str
    pid: int
    start: int
    argv: tuple[str, ...]
    cwd: str
    began: float
    """Unix time."""
    terminal: str = ""
    headless: bool = False
    """Asked for one answer instead of a conversation, or without any terminal."""
    inner: tuple[int, ...] = ()
    """What it wraps: node starts the program proper, and that may start itself again."""
    held: str = ""
    """The session of some agentdeck that it runs in, by its holder; empty for one that was started elsewhere."""

    @property
    def pids(self) -> tuple[int, ...]:
        return self.pid, *self.inner


def find(look: Look, *, of: int | None = None) -> list[Agent]:
    """Return the agents of the user with number `of` (ours when None), oldest first."""
    table = look.table()
    user = os.getuid() if of is None else of
    agents: dict[int, Agent] = {}
    for process in table.values():
        agent = recognise(look, process)
        if agent is not None and look.owner(process.pid) == user:
            agents[process.pid] = agent
    outer = _fold(agents, table)
    found = (replace(agent, held=_holder(look, agent.pid, table)) for agent in outer)
    return sorted(found, key=lambda agent: (agent.began, agent.pid))


def recognise(look: Look, process: Process) -> Agent | None:
    """Return what agent CLI a process is, or None. A wrapper and what it wraps both are one."""
    argv = look.arguments(process.pid)
    if not argv:
        return None
    program = look.program(process.pid)
    provider = detect.provider(argv, exe=program, comm=process.comm)
    if provider is None and (script := detect.script(argv, program)):
        provider = detect.provider(argv, exe=program, comm=process.comm, script=_real(look, process.pid, script))
    if provider is None:
        return None
    terminal = look.terminal(process.pid)
    return Agent(
        provider=provider,
        pid=process.pid,
        start=process.start,
        argv=argv,
        cwd=look.directory(process.pid),
        began=look.began(process.start),
        terminal=terminal,
        headless=not terminal or detect.is_headless(argv),
    )


def _real(look: Look, pid: int, script: str) -> str:
    """Where a script really is: it may be named by a link, or from the directory in which it was started."""
    return os.path.realpath(Path(look.directory(pid) or "/") / script)


def _fold(agents: Mapping[int, Agent], table: Mapping[int, Process]) -> list[Agent]:
    """Leave the outermost of those that wrap each other, with what they wrap.

    A wrapper hands its own arguments on. An agent that another one started for a task of its own does not get them, so
    it stays a session of its own.
    """
    wrapped: dict[int, int] = {}
    for pid, agent in agents.items():
        parent = agents.get(table[pid].ppid)
        if parent is not None and parent.provider == agent.provider and _hands_on(parent, agent):
            wrapped[pid] = parent.pid
    inner: dict[int, list[int]] = {}
    for pid in sorted(wrapped, key=lambda pid: (table[pid].start, pid)):
        top = pid
        while top in wrapped:
            top = wrapped[top]
        inner.setdefault(top, []).append(pid)
    return [replace(agents[pid], inner=tuple(inner.get(pid, ()))) for pid in agents if pid not in wrapped]


def _hands_on(parent: Agent, child: Agent) -> bool:
    return detect.own_arguments(parent.argv) == detect.own_arguments(child.argv)


def _holder(look: Look, pid: int, table: Mapping[int, Process]) -> str:
    lines = (look.arguments(each) for each in ancestors(pid, table))
    return next((argv[-1] for argv in lines if detect.is_holder(argv)), "")


def ancestors(pid: int, table: Mapping[int, Process]) -> list[int]:
    """Return a process and those that it descends from, itself first."""
    found: list[int] = []
    while pid in table and pid not in found:
        found.append(pid)
        pid = table[pid].ppid
    return found


def including(agents: Collection[Agent], pid: int, look: Look) -> Agent | None:
    """Return the agent that a pid belongs to: its own, what it wraps, or what it started (a tool, a hook)."""
    by_pid = {each: agent for agent in agents for each in agent.pids}
    return next((by_pid[each] for each in ancestors(pid, look.table()) if each in by_pid), None)
