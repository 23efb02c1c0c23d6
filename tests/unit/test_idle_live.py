"""The idle limit inside a hub, with real shells and limits of a second."""

import os
from pathlib import Path

import pytest

from agentdeck.config import Config, Limits
from agentdeck.hub.client import HubClient
from agentdeck.hub.hub import Hub
from agentdeck.paths import Paths
from agentdeck.protocol import messages as m
from tests.hub.conftest import environment, paths, until

__all__ = ["paths"]

BASH = "/bin/bash"


@pytest.mark.skipif(not Path(BASH).exists(), reason="needs bash")
async def test_an_idle_shell_is_announced_and_stopped_while_a_marked_and_a_busy_one_go_on(paths: Paths) -> None:
    config = Config(limits=Limits(idle=1.0, idle_check=0.2, idle_warning=0.4))
    notices: list[m.Notice] = []

    def take(message: m.AnyReply) -> None:
        if isinstance(message, m.Notice):
            notices.append(message)

    async with Hub(paths, config) as hub:
        client = await HubClient.over(await hub.connect(), kind="test")
        client.on_push = take
        await client.call(m.Watch(resources=False))
        ids = {}
        for name in ("idle", "marked", "busy"):
            spawn = m.Spawn(provider="shell", cwd="/", env=environment(paths) | {"PATH": os.defpath}, name=name)
            spawn.argv = (BASH, "--norc", "--noprofile")
            ids[name] = (await client.ask(spawn, m.Done)).session
        sessions = hub.roster.sessions
        await client.call(m.Mark(session=ids["marked"], on=True))
        await until(lambda: sessions[ids["busy"]].info.state == "idle")
        client.post(m.Input(session=ids["busy"], data=b"sleep 600\n"))
        await until(lambda: sessions[ids["busy"]].info.state == "working")
        await until(lambda: sessions[ids["idle"]].info.ended is not None)
        await until(lambda: len(notices) == 2)
        assert {notice.session for notice in notices} == {ids["idle"]}
        for name in ("marked", "busy"):
            assert sessions[ids[name]].running
            await client.call(m.Stop(session=ids[name], grace=0.2))
        await client.close()
