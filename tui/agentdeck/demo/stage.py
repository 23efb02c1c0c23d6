"""Fill a private hub with recorded sessions, and take everything away again.

The hub's state is in a directory that is thrown away, so the demo never touches the person's own sessions, and its
limits are off, so that theirs do not end it. Its deck still watches what else runs for them, as every deck does.
"""

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from agentdeck.demo.recording import names, open_recording
from agentdeck.errors import AgentdeckError, HubError, UnsafePathError
from agentdeck.hub.client import HubClient
from agentdeck.paths import Paths, locate, make_private
from agentdeck.protocol import messages as m

SIZE: Final = (120, 40)

PROJECT: Final = "orchard"
"""The directory in which the recordings were made, as the recorded agents show it."""

PREFIX: Final = "ad-demo-"

CONFIG: Final = "[limits]\nsessions = 0\nidle = 0\n"


@contextmanager
def stage() -> Iterator[Paths]:
    """A hub with one session for each recording; yields the paths with which the deck finds it.

    The deck keeps the person's own configuration.
    """
    own = locate()
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir="/tmp", ignore_cleanup_errors=True) as root:
        base = make_private(Path(root))
        with _environment({"XDG_STATE_HOME": f"{base}/s", "XDG_CONFIG_HOME": f"{base}/c"}):
            paths = locate()
            if not paths.run.is_relative_to(base):  # or its end would be the end of the person's own sessions
                raise UnsafePathError(str(paths.run), "is not the demo's own")
            paths.config.parent.mkdir(parents=True)
            paths.config.write_text(CONFIG, encoding="utf-8")
            try:
                asyncio.run(_set_up(paths, base))
                yield paths._replace(config=own.config)
            finally:
                with contextlib.suppress(HubError):
                    asyncio.run(_take_away(paths))


@contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    """The hub is a process of its own and learns from its environment where things are."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


async def _set_up(paths: Paths, base: Path) -> None:
    """Start the sessions, every one at another point of its story."""
    async with await HubClient.connect(paths, kind="demo") as client:
        cwd = base / PROJECT
        cwd.mkdir()
        for number, name in enumerate(names()):
            recording = open_recording(name)
            argv = (sys.executable, "-m", "agentdeck.demo.play", name, "--while-pid", str(os.getpid()))
            skip = len(recording.steps) * number // (2 * len(names()))
            request = m.Spawn(
                provider=recording.provider,
                cwd=str(cwd),
                env=dict(os.environ),
                name=recording.title,
                argv=(*argv, "--skip", str(skip)),
                cols=SIZE[0],
                rows=SIZE[1],
            )
            await client.call(request)


async def _take_away(paths: Paths) -> None:
    """End every session of the hub, whoever started it, and then the hub."""
    async with await HubClient.connect(paths, kind="demo") as client:
        sessions = (await client.ask(m.List(), m.Sessions)).sessions
        await asyncio.gather(*(_stop(client, session.id) for session in sessions))
        await client.call(m.Shutdown())
        gone = asyncio.Event()
        client.on_close = gone.set
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(gone.wait(), 5)


def clear_leftovers() -> None:
    """From inside a demo session whose demo was killed: end its hub and remove its directory."""
    base = Path(os.environ.get("XDG_STATE_HOME", "")).parent
    if not base.name.startswith(PREFIX):
        return
    with contextlib.suppress(HubError):
        asyncio.run(_shut_down(locate()))
    shutil.rmtree(base, ignore_errors=True)


async def _shut_down(paths: Paths) -> None:
    async with await HubClient.connect(paths, kind="demo", start=False) as client:
        await client.call(m.Shutdown())


async def _stop(client: HubClient, session: str) -> None:
    with contextlib.suppress(AgentdeckError):
        await client.call(m.Stop(session=session, grace=0.5))
