"""Whether an agent's tool is running: a process below it that leads a session of its own.

The CLIs start their commands with `setsid`, and what serves them (MCP servers, wrappers) without. That is how a command
that says nothing for ten minutes is told from an agent that rests. Linux only; elsewhere there is no answer.
"""

import sys
from pathlib import Path
from typing import Final

from agentdeck.processes.resume import descendants

LOOKED_AT: Final = 200
"""Processes; a tree that is larger is not searched to its end."""


def running(pid: int) -> str:
    """Return the name of a command that runs below the program `pid` in a session of its own, or an empty string."""
    if pid <= 0 or sys.platform != "linux":
        return ""
    own = _name_and_session(pid)
    if own is None:
        return ""
    for number, process in enumerate(descendants(pid)):
        if number > LOOKED_AT:
            break
        found = _name_and_session(process)
        if found is not None and found[1] != own[1]:
            return found[0]
    return ""


def _name_and_session(pid: int) -> tuple[str, int] | None:
    try:
        row = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    opened, closed = row.find(b"("), row.rfind(b")")
    fields = row[closed + 2 :].split()
    if len(fields) < 4 or fields[0] == b"Z":
        return None
    return row[opened + 1 : closed].decode(errors="replace"), int(fields[3])
