"""Clients that misbehave: one that stops reading, one that vanishes in mid-request."""

import asyncio
import os
import socket
import sys

from agentdeck.hub.client import HubClient
from agentdeck.protocol import messages as m
from agentdeck.protocol import wire
from tests.e2e.world import World
from tests.faults import numbered

MEMORY_GROWTH = 40.0
"""MB that the hub may grow while it feeds a client that does not read; the flood is far larger."""


def resident(pid: int) -> float:
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_a_client_that_stops_reading_costs_nothing_and_holds_up_nobody(world: World) -> None:
    session = world.shell("talker", sys.executable, "-c", "for i in range(400000): print('line', i, 'x' * 60)")
    hub = numbered.hub_pid(world.paths)
    before = resident(hub)
    with socket.socket(socket.AF_UNIX) as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.connect(str(world.paths.hub_socket))
        for request in (m.Hello(id=1), m.Watch(id=2), m.View(id=3, session=session, cols=120, rows=40)):
            lazy.sendall(wire.encode(request))
        world.wait_for_screen(session, "line 399999", 60)
        assert resident(hub) - before < MEMORY_GROWTH
    assert numbered.hub_pid(world.paths) == hub


def test_a_client_that_vanishes_in_mid_request_is_forgotten(world: World) -> None:
    session = world.shell("kept", "sleep 1000")
    for cut in (1, 3, 5, 9):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(world.paths.hub_socket))
            client.sendall((wire.encode(m.Hello(id=1)) + wire.encode(m.View(session=session)))[:-cut])
    assert world.session(session)["exit_status"] is None


def test_what_the_hub_cannot_understand_ends_that_client_only(world: World) -> None:
    session = world.shell("kept", "sleep 1000")

    async def talk() -> bytes:
        reader, writer = await asyncio.open_unix_connection(world.paths.hub_socket)
        writer.write(b"\xff\xff\xff\xff" + os.urandom(2000))
        await writer.drain()
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
        async with await HubClient.connect(world.paths, start=False) as client:
            assert (await client.resolve(session)).id == session
        return answer

    asyncio.run(talk())
