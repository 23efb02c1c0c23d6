"""What the commands around sharing have in common: which session is meant, how long, and who may."""

import os
import re
import sys
from datetime import UTC, datetime

from agentdeck.errors import UnknownSessionError, UsageError
from agentdeck.hub.client import HubClient
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s

VARIABLES = ("CLAUDE_SESSION_ID", "CLAUDE_CODE_SESSION_ID", "AGENTDECK_SESSION")
"""Where a command that runs inside an agent finds out which session it is in."""

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 24 * 3600.0}


def named(given: str) -> str:
    """The session that is meant. Raises `UsageError` when nobody names one."""
    name = given or next((value for variable in VARIABLES if (value := os.environ.get(variable))), "")
    if not name:
        raise UsageError(
            "no session is named", hint=f"give its id, or run this inside an agent, where {VARIABLES[1]} names it"
        )
    return name


def seconds(text: str) -> float:
    """`90s`, `30m`, `24h` or `1d`; a bare number is seconds. Raises `UsageError`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip().lower())
    if match is None:
        raise UsageError(f"{text!r} is no duration", hint="durations look like 90s, 30m or 24h")
    return float(match[1]) * _UNITS[match[2] or "s"]


def moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


async def resolved(client: HubClient, name: str) -> str:
    """Our id of a session if it is one of ours; what only others know is left as it is."""
    try:
        return (await client.resolve(name)).id
    except UnknownSessionError:
        return name


async def allowed(client: HubClient, repository: str, server: str) -> bool:
    """Ask the person at the terminal, once for each repository. Without one nothing is allowed."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    where = "" if server == "local" else " beyond this machine"
    print(
        f"Sessions in {repository} have never been shared{where}.\nAllow that people with a link see them? [y/N] ",
        end="", file=sys.stderr, flush=True,
    )  # fmt: skip
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        return False
    await client.ask(s.AllowRepository(path=repository, server=server), m.Done)
    return True
