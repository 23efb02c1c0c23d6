"""A hub inside the test's own process, with real holders and real programs, all ended afterwards."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from agentdeck.config import Config
from agentdeck.hub.client import HubClient
from agentdeck.hub.hub import Hub
from agentdeck.paths import Paths
from agentdeck.protocol import messages as m

Connect = Callable[[], Awaitable[HubClient]]


@pytest.fixture
def paths() -> Iterator[Paths]:
    with tempfile.TemporaryDirectory(prefix="ad-") as root:  # short: unix socket paths are
        base = Path(root)
        yield Paths(state=base / "s", run=base / "s" / "run", config=base / "c" / "config.toml", cache=base / "k")


@contextlib.asynccontextmanager
async def running(paths: Paths) -> AsyncIterator[Hub]:
    async with Hub(paths, Config()) as hub:
        try:
            yield hub
        finally:
            for session in tuple(hub.roster.running):
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(hub.roster.stop(session, 0.2), 10)


@pytest.fixture
async def hub(paths: Paths) -> AsyncIterator[Hub]:
    async with running(paths) as hub:
        yield hub


@pytest.fixture
async def connect(hub: Hub) -> AsyncIterator[Connect]:
    opened: list[HubClient] = []

    async def one() -> HubClient:
        client = await HubClient.over(await hub.connect(), kind="test")
        opened.append(client)
        return client

    yield one
    for client in opened:
        await client.close()


@pytest.fixture
async def client(connect: Connect) -> HubClient:
    return await connect()


def environment(paths: Paths) -> dict[str, str]:
    return {"HOME": str(paths.state), "PATH": os.defpath, "LANG": "C.UTF-8", "SHELL": "/bin/sh", "TERM": "xterm"}


async def start(client: HubClient, paths: Paths, *argv: str, **more: object) -> str:
    """Start a session that runs `argv` and return its id."""
    request = m.Spawn(
        provider="shell",
        cwd="/",
        env=environment(paths),
        argv=argv,
        cols=80,
        rows=24,
        **more,  # type: ignore[arg-type]
    )
    return (await client.ask(request, m.Done)).session


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    """Wait until something holds; the deadline only ends a broken test."""
    async with asyncio.timeout(seconds):
        while True:
            result = condition()
            if (await result) if isinstance(result, Awaitable) else result:
                return
            await asyncio.sleep(0.01)


async def text(client: HubClient, session: str) -> str:
    """What is on a session's screen, rows joined by newlines, blanks trimmed."""
    screen = await client.ask(m.ReadScreen(session=session), m.Screen)
    return "\n".join(row.text.rstrip() for _, row in screen.frame.rows).rstrip()
