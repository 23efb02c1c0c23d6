"""What is around a share fails: the disk, the clock of an invite, an old client; what need not stop goes on."""

import asyncio
import sqlite3

import httpx
from websockets.asyncio import client as websocket
from websockets.exceptions import ConnectionClosed

from agentdeck.protocol import messages as m
from tests.gateway.conftest import World


async def test_a_log_that_cannot_be_written_refuses_words_and_prompts_and_the_screen_goes_on(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "while read x; do echo [$x]; done")
    await world.share(session)
    guest = await world.join(await world.invite(session, "driver"), "ana")
    await guest.send("chat", "1", text="before")
    assert (await guest.answer("1"))["t"] == "echo"
    blocker = sqlite3.connect(world.paths.state / "usage.db", timeout=20)
    blocker.execute("BEGIN EXCLUSIVE")
    try:
        await guest.send("chat", "2", text="lost?")
        world.client.post(m.Input(session=session, data=b"meanwhile\r"))
        await guest.until(lambda: "[meanwhile]" in guest.screen)
        refused = await guest.answer("2")
        assert refused["t"] == "error"
        assert refused["d"]["code"] == "UNAVAILABLE"
        assert refused["d"]["retry_after"] > 0
    finally:
        blocker.rollback()
        blocker.close()
    await guest.send("chat", "2", text="lost?")
    assert (await guest.answer("2", nth=2))["t"] == "echo"
    assert [each["d"]["text"] for each in guest.of("chat")] == ["before", "lost?"]
    assert guest.seqs == list(range(guest.seqs[0], guest.seqs[-1] + 1))


async def test_who_is_in_stays_when_the_invite_expires(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "while read x; do echo [$x]; done")
    await world.share(session)
    link = await world.invite(session, "observer", expires=2.0, max_uses=5)
    guest = await world.join(link, "ana")

    await world.until_expired()
    async with httpx.AsyncClient(base_url=link.base) as http:
        answer = await http.post(f"/v1/s/{link.share}/join", json={"secret": link.secret, "bearer": True})
    assert answer.status_code == 410
    world.client.post(m.Input(session=session, data=b"still\r"))
    await guest.until(lambda: "[still]" in guest.screen)
    assert guest.closed is None


async def test_a_client_of_another_version_is_told_so(world: World) -> None:
    link = await world.share(await world.start("/bin/sh", "-c", "sleep 1000"))
    joined = await world.token(link)
    socket = await websocket.connect(
        f"{link.base.replace('http', 'ws')}/v1/s/{link.share}/ws",
        additional_headers={"Authorization": f"Bearer {joined.token}"},
        subprotocols=["agentdeck.v9"],  # type: ignore[list-item]
    )
    try:
        async for _ in socket:
            pass
    except ConnectionClosed:
        pass
    assert socket.close_code == 4400


async def test_ten_people_who_come_at_once_all_get_in_and_see_the_same(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "echo hello; sleep 1000")
    link = await world.share(session)
    guests = await asyncio.gather(*(world.join(link, f"guest {n}") for n in range(10)))
    for guest in guests:
        await guest.until(lambda guest=guest: "hello" in guest.screen)  # type: ignore[misc]
    assert len({guest.of("hello")[0]["d"]["name"] for guest in guests}) == 10
