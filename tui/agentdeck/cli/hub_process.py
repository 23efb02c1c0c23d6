"""End the hub for certain: by asking it, or by its pid when it no longer answers.

A hub holds `hub.lock` for its whole life and writes its pid into it. So the lock says whether there is a hub, even one
that hangs or speaks another version, and only a pid from a lock that is held is ever signalled.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import time
from typing import Final

from agentdeck.errors import HubError, HubUnreachableError
from agentdeck.hub.client import HubClient
from agentdeck.paths import Paths
from agentdeck.protocol import messages as m

ASK_DEADLINE: Final = 2.0
"""Seconds for a healthy hub to end after it was asked to, and for any hub to obey a signal."""


def running(paths: Paths) -> int | None:
    """Return the pid of the hub of these paths, or None."""
    try:
        fd = os.open(paths.run / "hub.lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        digits = os.pread(fd, 32, 0).strip()
        return int(digits) if digits.isdigit() else None
    else:
        return None
    finally:
        os.close(fd)


def end(paths: Paths) -> int | None:
    """End the hub and return the pid that it had; None when there was none. Raises `HubUnreachableError`."""
    pid = running(paths)
    if pid is None:
        return None
    with contextlib.suppress(HubError, TimeoutError):
        asyncio.run(_ask(paths))
    for number in (0, signal.SIGTERM, signal.SIGKILL):
        if number and running(paths) == pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if _gone(paths, pid):
            return pid
    raise HubUnreachableError(f"the hub {pid} does not end", hint=f"look at its log: {paths.hub_log}")


async def _ask(paths: Paths) -> None:
    async with asyncio.timeout(ASK_DEADLINE):
        async with await HubClient.connect(paths, start=False) as client:
            await client.call(m.Shutdown())


def _gone(paths: Paths, pid: int) -> bool:
    deadline = time.monotonic() + ASK_DEADLINE
    while running(paths) == pid:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
