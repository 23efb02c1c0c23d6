"""The hub's promises, with real holders: sessions start, are typed into, end, and are found again."""

import asyncio
import os
import signal
import sys

import pytest

from agentdeck.config import Config
from agentdeck.errors import (
    AgentdeckError,
    AmbiguousSessionError,
    MissingDirectoryError,
    SessionEndedError,
    SpawnError,
    UnknownProviderError,
    UnknownSessionError,
)
from agentdeck.hub.client import HubClient
from agentdeck.hub.hub import Hub
from agentdeck.paths import Paths
from agentdeck.protocol import messages as m
from tests.hub.conftest import Connect, environment, start, text, until


async def info(client: HubClient, session: str) -> m.Session:
    return next(s for s in (await client.ask(m.List(), m.Sessions)).sessions if s.id == session)


async def test_what_a_program_prints_is_on_the_screen(client: HubClient, paths: Paths) -> None:
    session = await start(client, paths, "/bin/sh", "-c", "echo one; echo two; read x; echo got $x; sleep 60")

    async def shows(wanted: str) -> bool:
        return wanted in await text(client, session)

    await until(lambda: shows("one\ntwo"))
    client.post(m.Input(session=session, data=b"hello\r"))
    await until(lambda: shows("got hello"))


async def test_frames_are_pushed_to_a_viewer_and_bring_its_screen_up_to_date(client: HubClient, paths: Paths) -> None:
    rows: dict[int, str] = {}

    def take(message: m.AnyReply) -> None:
        if isinstance(message, m.Screen):
            if message.frame.full:
                rows.clear()
            rows.update({y: row.text.rstrip() for y, row in message.frame.rows})

    client.on_push = take
    session = await start(client, paths, "/bin/sh", "-c", "while read x; do echo [$x]; done")
    await client.call(m.View(session=session, cols=80, rows=24))
    for word in ("alpha", "beta", "gamma"):
        client.post(m.Input(session=session, data=word.encode() + b"\r"))
        await until(lambda word=word: f"[{word}]" in rows.values())


async def test_exit_status_and_signal_are_kept(client: HubClient, paths: Paths) -> None:
    seven = await start(client, paths, "/bin/sh", "-c", "exit 7")
    killed = await start(client, paths, "/bin/sh", "-c", "kill -9 $$")

    async def over() -> bool:
        return all([(await info(client, s)).exit_status is not None for s in (seven, killed)])

    await until(over)
    assert (await info(client, seven)).exit_status == 7
    assert (await info(client, killed)).exit_status == 128 + signal.SIGKILL
    assert (await info(client, seven)).ended is not None


async def test_bad_requests_change_nothing_and_say_why(client: HubClient, paths: Paths) -> None:
    env = environment(paths)
    with pytest.raises(UnknownProviderError):
        await client.call(m.Spawn(provider="nonsense", cwd="/", env=env))
    with pytest.raises(MissingDirectoryError):
        await client.call(m.Spawn(provider="shell", cwd="/does/not/exist", env=env))
    with pytest.raises(SpawnError):
        await client.call(m.Spawn(provider="shell", cwd="/", env=env, argv=("/does/not/exist",)))
    with pytest.raises(UnknownSessionError):
        await client.call(m.Stop(session="00000000"))
    assert (await client.ask(m.List(), m.Sessions)).sessions == ()
    assert not [
        path for path in paths.run.iterdir() if len(path.stem) == 8 and path.suffix in (".sock", ".json", ".exit")
    ]


async def test_a_session_is_found_by_id_prefix_and_name_and_never_guessed(client: HubClient, paths: Paths) -> None:
    first = await start(client, paths, "/bin/sh", name="api")
    await start(client, paths, "/bin/sh", name="web")
    assert (await client.resolve(first[:6])).id == first
    assert (await client.resolve("api")).id == first
    with pytest.raises(UnknownSessionError):
        await client.resolve("ap")
    with pytest.raises((AmbiguousSessionError, UnknownSessionError)):
        await client.resolve("")


async def test_stopping_ends_the_tree_and_typing_then_says_so(client: HubClient, paths: Paths) -> None:
    session = await start(client, paths, "/bin/sh", "-c", "sleep 1000 & sleep 1000")
    await client.call(m.Stop(session=session, grace=1.0))
    assert (await info(client, session)).ended is not None
    with pytest.raises(SessionEndedError):
        await client.call(m.SendKeys(session=session, keys=("enter",)))
    with pytest.raises(SessionEndedError):
        await client.call(m.Stop(session=session))
    await client.call(m.Forget(session=session))
    assert (await client.ask(m.List(), m.Sessions)).sessions == ()


async def test_a_running_session_cannot_be_forgotten(client: HubClient, paths: Paths) -> None:
    session = await start(client, paths, "/bin/sh")
    with pytest.raises(AgentdeckError, match="still running"):
        await client.call(m.Forget(session=session))
    assert (await info(client, session)).ended is None


async def test_the_limit_of_sessions_is_kept(paths: Paths) -> None:
    import msgspec

    config = Config(limits=msgspec.structs.replace(Config().limits, sessions=1))
    async with Hub(paths, config) as hub, await HubClient.over(await hub.connect()) as client:
        session = await start(client, paths, "/bin/sh")
        with pytest.raises(AgentdeckError, match="limit"):
            await start(client, paths, "/bin/sh")
        await client.call(m.Stop(session=session, grace=0.5))
        again = await start(client, paths, "/bin/sh")
        await client.call(m.Stop(session=again, grace=0.5))


async def test_another_hub_finds_screen_scrollback_and_facts_again(paths: Paths) -> None:
    async with Hub(paths, Config()) as first, await HubClient.over(await first.connect()) as client:
        session = await start(
            client, paths, "/bin/sh", "-c", "for i in $(seq 100); do echo line-$i; done; read x; echo back $x; sleep 60"
        )
        await until(lambda: _shows(client, session, "line-100"))
        await client.call(m.Rename(session=session, name="kept"))
    async with Hub(paths, Config()) as second, await HubClient.over(await second.connect()) as client:
        try:
            assert (await info(client, session)).name == "kept"
            await until(lambda: _shows(client, session, "line-100"))
            history = await client.ask(m.ReadHistory(session=session, start=0, count=100), m.History)
            kept = [row.text.rstrip() for row in history.rows]
            assert kept[:3] == ["line-1", "line-2", "line-3"]
            assert len(kept) == len(set(kept))
            client.post(m.Input(session=session, data=b"again\r"))
            await until(lambda: _shows(client, session, "back again"))
        finally:
            await client.call(m.Stop(session=session, grace=0.5))


async def test_a_restart_runs_the_same_command_in_the_same_place(client: HubClient, paths: Paths) -> None:
    session = await start(client, paths, "/bin/sh", "-c", "echo pid $$; sleep 60")
    before = (await info(client, session)).pid
    await client.call(m.Restart(session=session, env=environment(paths)))
    after = await info(client, session)
    assert after.pid not in (0, before)
    assert after.ended is None
    await until(lambda: _shows(client, session, f"pid {after.pid}"))


async def test_a_client_that_never_reads_neither_slows_the_program_nor_grows_the_hub(
    hub: Hub, connect: Connect, paths: Paths
) -> None:
    client, lazy = await connect(), await connect()
    session = await start(client, paths, sys.executable, "-c", "import sys\nfor i in range(60000): print(i, 'x' * 60)")
    await lazy.call(m.View(session=session, cols=80, rows=24))
    assert lazy._transport is not None
    lazy._transport.pause_reading()
    await until(lambda: _ended(client, session))
    assert await _shows(client, session, "59999")
    stuck = max(peer._transport.get_write_buffer_size() for peer in hub.peers if peer._transport)
    assert stuck < 2 * 1024 * 1024


async def test_garbage_from_a_client_ends_that_client_only(hub: Hub, connect: Connect, paths: Paths) -> None:
    client = await connect()
    connection = await hub.connect()
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connection, b"\x00\x00\x00\x04" + os.urandom(4))
    while await loop.sock_recv(connection, 4096):
        pass
    connection.close()
    assert (await client.ask(m.List(), m.Sessions)).sessions == ()


async def _shows(client: HubClient, session: str, wanted: str) -> bool:
    return wanted in await text(client, session)


async def _ended(client: HubClient, session: str) -> bool:
    return (await info(client, session)).ended is not None
