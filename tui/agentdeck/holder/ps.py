"""What ps says about processes, where there is no /proc. Only asked while a session is stopped: it takes a while."""

import subprocess

from agentdeck.holder.proc import Facts

_COMMAND = ("ps", "-A", "-ww", "-o", "pid=,ppid=,pgid=,state=,lstart=,command=")


def everything() -> dict[int, Facts]:
    """Return the facts of every living process by pid; the process group stands for the session."""
    try:
        text = subprocess.run(_COMMAND, capture_output=True, timeout=5).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    return parse(text.decode("utf-8", "replace"))


def parse(text: str) -> dict[int, Facts]:
    found = {}
    for line in text.splitlines():
        pid, parent, group, state, *words = line.split()
        if not state.startswith("Z"):
            found[int(pid)] = Facts(" ".join(words[:5]), int(parent), int(group), " ".join(words[5:]))
    return found
