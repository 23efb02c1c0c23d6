"""Hubs that are not the usual one: inside the deck's own process, and on the stage of the demo."""

import os
from pathlib import Path

import pytest

from agentdeck.cli import hub_process
from agentdeck.config import Config
from agentdeck.demo import recording, stage
from agentdeck.errors import HubError
from agentdeck.hub.client import HubClient
from agentdeck.hub.main import inside
from agentdeck.paths import Paths, locate
from agentdeck.protocol import messages as m
from tests.hub.conftest import start, until


async def test_commands_find_the_hub_inside_a_deck_and_its_sessions_outlive_it(paths: Paths) -> None:
    async with inside(paths, Config()), await HubClient.connect(paths, start=False) as client:
        assert client.hub_pid == os.getpid() == hub_process.running(paths)
        session = await start(client, paths, "/bin/sh", "-c", "read x")
    assert hub_process.running(paths) is None
    async with inside(paths, Config()), await HubClient.connect(paths, start=False) as client:
        found = await client.resolve(session)
        assert found.ended is None
        await client.call(m.Stop(session=session, grace=0.2))


async def test_there_is_never_a_second_hub(paths: Paths) -> None:
    async with inside(paths, Config()):
        with pytest.raises(HubError, match="already running"):
            async with inside(paths, Config()):
                pass
        assert hub_process.running(paths) == os.getpid()


@pytest.fixture
def home(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory for what finds its paths in the environment."""
    home = paths.state.parent
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    return home


def test_the_demo_has_a_hub_of_its_own_and_leaves_nothing_behind(home: Path) -> None:
    own = locate()
    with stage.stage() as paths:
        assert paths.config == own.config
        assert not paths.run.is_relative_to(home)
        assert not own.run.exists()
        pid = hub_process.running(paths)
        sessions = _watch_until_all_are_drawn(paths)
        assert {session.name for session in sessions} == {
            recording.open_recording(name).title for name in recording.names()
        }
        assert "XDG_STATE_HOME" in os.environ
    assert pid is not None
    assert hub_process.running(paths) is None
    assert not paths.state.exists()
    assert not own.run.exists()
    assert "XDG_STATE_HOME" not in os.environ


def _watch_until_all_are_drawn(paths: Paths) -> list[m.Session]:
    import asyncio

    async def watch() -> list[m.Session]:
        async with await HubClient.connect(paths, start=False) as client:
            sessions = (await client.ask(m.List(), m.Sessions)).sessions

            async def drawn() -> bool:
                frames = [(await client.ask(m.ReadScreen(session=one.id), m.Screen)).frame for one in sessions]
                return all(any(row.text.strip() for _, row in frame.rows) for frame in frames)

            await until(drawn)
            return list((await client.ask(m.List(), m.Sessions)).sessions)

    return asyncio.run(watch())
