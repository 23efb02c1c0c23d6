"""What a session leaves behind when its program ends by itself: processes that outlived it.

They are found and named, never signalled: who started a server in the background may have meant it. A process belongs
to a session by the terminal session that it is in, or by the variable that every session has in its environment.
"""

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import psutil

from agentdeck.processes import detect
from agentdeck.processes.source import arguments, read_all

VARIABLE: Final = "AGENTDECK_SESSION"


class Remain(NamedTuple):
    name: str
    pid: int


def remains(session: str, leader: int, spare: Sequence[str] = ()) -> list[Remain]:
    """Find what is left of a session whose program was the process `leader`. Reads the process table: use a thread.

    `spare` are parts of the command lines of daemons that are meant to stay.
    """
    table, found = read_all()(), []
    terminal = leader if leader not in table else 0  # a number that has members is given to nobody else
    for process in table.values():
        if process.pid == os.getpid():
            continue
        if not (terminal and process.sid == terminal) and not _is_marked(process.pid, session):
            continue
        line = arguments(process.pid)
        if not line or detect.is_holder(line) or _is_hub(line) or any(word in " ".join(line) for word in spare if word):
            continue
        found.append(Remain(detect.spoken_name(line, process.comm), process.pid))
    return sorted(found, key=lambda each: each.pid)


def _is_marked(pid: int, session: str) -> bool:
    """Whether a process has the session's variable; one of another user never has."""
    wanted = f"{VARIABLE}={session}"
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return wanted.encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        return False
    with contextlib.suppress(psutil.Error, OSError):
        return bool(psutil.Process(pid).environ().get(VARIABLE) == session)
    return False


def _is_hub(line: Sequence[str]) -> bool:
    """A hub that was started from inside of a session, and what it starts for itself."""
    return any(word == "agentdeck" or word.startswith("agentdeck.") for word in line[1:4])
