"""Lines with numbers, so that a gap or a repeat can be named; and reading them back from a session's scrollback."""

import asyncio
import re
import sys
from pathlib import Path

from agentdeck.hub.client import HubClient
from agentdeck.paths import Paths
from agentdeck.protocol import messages as m

LINE = re.compile(r"^line (\d+)$")
PAGE = 1000


def program(stop: Path, *, last: int, pause: float) -> list[str]:
    """A command that prints numbered lines until `stop` exists or number `last` is reached, then says how many."""
    source = (
        "import os, sys, time\n"
        "n = 0\n"
        f"while n < {last} and not os.path.exists({str(stop)!r}):\n"
        "    print('line', n, flush=True)\n"
        "    n += 1\n"
        f"    time.sleep({pause})\n"
        "print('printed', n, flush=True)\n"
        "time.sleep(3600)\n"
    )
    return [sys.executable, "-u", "-c", source]


async def _rows(paths: Paths, session: str) -> list[str]:
    async with await HubClient.connect(paths, start=False) as client:
        texts: list[str] = []
        while True:
            history = await client.ask(m.ReadHistory(session=session, start=len(texts), count=PAGE), m.History)
            texts += [row.text.rstrip() for row in history.rows]
            if len(texts) >= history.total or not history.rows:
                break
        screen = await client.ask(m.ReadScreen(session=session), m.Screen)
        return texts + [row.text.rstrip() for _, row in sorted(screen.frame.rows, key=lambda numbered: numbered[0])]


def rows(paths: Paths, session: str) -> list[str]:
    """Every row of a session, scrollback first. The hub must be running."""
    return asyncio.run(_rows(paths, session))


def numbers(paths: Paths, session: str) -> list[int]:
    """The numbers of the lines that the scrollback and the screen hold, in their order."""
    return [int(found[1]) for row in rows(paths, session) if (found := LINE.match(row))]


async def _hub_pid(paths: Paths) -> int:
    async with await HubClient.connect(paths, start=False) as client:
        return client.hub_pid


def hub_pid(paths: Paths) -> int:
    return asyncio.run(_hub_pid(paths))
