"""Connections break in every way; nobody misses an event, gets one twice, or sends one twice."""

import asyncio
import os
import random
import signal
import socket
import struct
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

from agentdeck.hub.hub import Hub
from agentdeck.hub.peer import Peer
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from tests.gateway.conftest import Guest, Link, World
from tests.hub.conftest import until


def reset(guest: Guest) -> None:
    """Break the connection as a cut cable does: no close, a reset."""
    transport = guest.socket.transport
    raw: socket.socket = transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def talk(world: World, session: str, count: int, pause: float = 0.01) -> None:
    for n in range(count):
        await world.client.ask(s.Say(session=session, text=f"event {n}"), m.Done)
        await asyncio.sleep(pause)


async def test_after_any_number_of_resets_every_event_came_once(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "sleep 1000")
    link = await world.share(session)
    joined = await world.token(link)
    talking = asyncio.create_task(talk(world, session, 150))
    seen: list[int] = []
    epoch, resets = "", 0
    choose = random.Random(5)
    while True:
        guest = await world.enter(link, joined.token, since=seen[-1] if seen else 0, epoch=epoch)
        await guest.until(lambda guest=guest: guest.of("snapshot") or guest.closed)  # type: ignore[misc]
        epoch = guest.epoch
        if talking.done():
            last = (await world.facts()).last_seq
            await until(lambda guest=guest, last=last, seen=seen: last in guest.seqs or seen[-1] >= last)
            seen += guest.seqs
            break
        await asyncio.sleep(choose.random() * 0.1)
        reset(guest)
        resets += 1
        await guest.until(lambda guest=guest: guest.reader is not None and guest.reader.done())  # type: ignore[misc]
        seen += guest.seqs
    assert resets > 5
    assert seen == list(range(seen[0], seen[-1] + 1))


async def test_a_message_whose_answer_was_lost_is_stored_once(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "sleep 1000")
    await world.share(session)
    link = await world.invite(session, "commenter")
    joined = await world.token(link)
    headers = {"Authorization": f"Bearer {joined.token}"}
    async with httpx.AsyncClient(base_url=link.base, headers=headers) as http:
        for n in range(6):
            body = {"t": "chat", "id": f"k{n}", "d": {"text": f"said {n}"}}
            asked = [http.post(f"/v1/s/{link.share}/messages", json=body) for _ in range(3)]
            answers = await asyncio.gather(*asked)
            assert sorted(a.status_code for a in answers) == [200, 200, 201]
            assert len({a.json()["seq"] for a in answers}) == 1
        told = (await http.get(f"/v1/s/{link.share}/messages?limit=500")).json()["messages"]
    assert [each["d"]["text"] for each in told if each["t"] == "chat"] == [f"said {n}" for n in range(6)]


@asynccontextmanager
async def following(link: Link, token: str, last: str = "") -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    headers = {"Authorization": f"Bearer {token}"} | ({"Last-Event-ID": last} if last else {})
    async with (
        httpx.AsyncClient(base_url=link.base, headers=headers, timeout=20) as http,
        http.stream("GET", f"/v1/s/{link.share}/events") as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-accel-buffering"] == "no"

        async def read() -> AsyncIterator[dict[str, Any]]:
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    yield msgspec.json.decode(line[6:])

        yield read()


async def test_a_follower_of_server_sent_events_gets_the_same_and_resumes_by_id(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "echo hello; sleep 1000")
    link = await world.share(session)
    joined = await world.token(link)
    await talk(world, session, 5, 0)

    async def take(events: AsyncIterator[dict[str, Any]], count: int) -> list[int]:
        found = []
        async for each in events:
            if each.get("seq"):
                found.append(each["seq"])
                if len(found) == count:
                    return found
        return found

    last = (await world.facts()).last_seq
    async with following(link, joined.token) as events:
        first = await asyncio.wait_for(take(events, last), 10)
    assert first == list(range(1, last + 1))
    await talk(world, session, 4, 0)
    async with following(link, joined.token, str(last - 2)) as events:
        assert await asyncio.wait_for(take(events, 6), 10) == list(range(last - 1, last + 5))
        await world.client.ask(s.Unshare(session=session), m.Done)
        ended = [each async for each in events if each["t"] == "ended"]
        assert ended[0]["d"]["code"] == "ENDED"


async def test_a_killed_gateway_comes_back_at_the_same_port_with_the_same_log_and_people(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "while read x; do echo [$x]; done")
    link = await world.share(session)
    joined = await world.token(link, "ana")
    guest = await world.enter(link, joined.token)
    await guest.until(lambda: guest.of("snapshot"))
    await talk(world, session, 3, 0)
    await guest.until(lambda: len(guest.of("chat")) == 3)
    old = world.gateway_pid()
    os.kill(old, signal.SIGKILL)
    await guest.until(lambda: guest.reader is not None and guest.reader.done())
    await talk(world, session, 2, 0)
    world.client.post(m.Input(session=session, data=b"after\r"))
    await until(lambda: world.gateway_pid() not in (0, old))
    again = await back(world, link, joined.token, since=guest.seqs[-1], epoch=guest.epoch)
    await again.until(lambda: len(again.of("chat")) == 2)
    assert again.seqs == list(range(guest.seqs[-1] + 1, again.seqs[-1] + 1))
    await again.until(lambda: "[after]" in again.screen)
    assert again.epoch == guest.epoch


async def back(world: World, link: Link, token: str, *, since: int, epoch: str) -> Guest:
    """Reconnect as a page does, until it works."""
    async with asyncio.timeout(20):
        while True:
            try:
                guest = await world.enter(link, token, since=since, epoch=epoch)
                await guest.until(lambda guest=guest: guest.of("snapshot") or guest.closed)  # type: ignore[misc]
                if guest.of("snapshot"):
                    return guest
            except OSError:
                pass
            await asyncio.sleep(0.1)


async def test_viewers_outlive_a_hub_that_dies_and_go_on_with_the_next_one(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "while read x; do echo [$x]; done")
    link = await world.share(session)
    joined = await world.token(link, "ana")
    guest = await world.enter(link, joined.token)
    await guest.until(lambda: guest.of("snapshot"))
    pid = world.gateway_pid()
    world.hub.sharing.stop()  # as if it died: no word to the gateway
    await guest.until(lambda: any(each["d"]["about"] == "offline" for each in guest.of("system")))
    assert guest.closed is None
    refused = await world.enter(link, joined.token)
    await refused.until(lambda: refused.closed is not None)
    assert refused.closed == 4503, "nobody is shown anything while nobody decides"
    async with Hub(world.paths, world.hub.roster._config) as other:
        await until(lambda: other.sharing.shares.gateway.pid == pid)
        again = await back(world, link, joined.token, since=max(guest.seqs), epoch=guest.epoch)
        assert again.epoch == guest.epoch
        assert again.of("hello")[0]["d"]["name"] == "ana"
        assert not set(again.seqs) & set(guest.seqs)
        told = other.sharing.answer(Peer(lambda *_: None, lambda _: None), s.Share(session=session))
        assert isinstance(told, Awaitable)
        shared = await told
        assert isinstance(shared, s.Shared)
        assert (shared.url, shared.code, shared.again) == (link.url, link.code, True)
        for room in tuple(other.sharing.shares.rooms.values()):
            await other.sharing.shares.end(room, "ENDED", "over")


async def test_a_viewer_that_does_not_read_is_cut_off_and_costs_others_nothing(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "while :; do head -c 3000 /dev/urandom | base64; sleep 0.02; done")
    link = await world.share(session)
    joined = await world.token(link)
    good = await world.enter(link, joined.token)
    await good.until(lambda: good.of("snapshot"))
    host, port = link.base.removeprefix("http://").rsplit(":", 1)
    stalled = socket.socket()
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    stalled.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(stalled, (host, int(port)))
    await loop.sock_sendall(
        stalled,
        (
            f"GET /v1/s/{link.share}/ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nAuthorization: Bearer {joined.token}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ).encode(),
    )
    assert (await loop.sock_recv(stalled, 100)).startswith(b"HTTP/1.1 101")
    text = b'{"t":"auth"}'
    await loop.sock_sendall(stalled, bytes((0x81, 0x80 | len(text))) + bytes(4) + text)
    facts = await world.facts()
    await until(lambda: world.hub.sharing.shares.rooms[facts.share].room.online.get(joined.participant) == 2)
    await until(lambda: world.hub.sharing.shares.rooms[facts.share].room.online.get(joined.participant) == 1, 25)
    assert good.closed is None
    heard = len(good.of("screen"))
    await good.until(lambda: len(good.of("screen")) > heard + 5)
    stalled.close()
