"""The owner's side goes away, hangs, sleeps or is there twice; clocks jump. Nobody is shown what nobody decides on."""

import asyncio
import signal
import sys
import time
from pathlib import Path

import httpx
import pytest

from agentdeck.gateway import house
from agentdeck.hub.hub import Hub
from agentdeck.protocol import gateway as g
from agentdeck.protocol import messages as m
from agentdeck.protocol import viewers as v
from agentdeck.protocol.wire import encode
from agentdeck.share.meeting import ALREADY_RUNNING, SOCKET
from tests.gateway.conftest import Guest, World, until
from tests.gateway.played import SHARE, PlayedGateway, come_in, gateway, picture
from tests.gateway.test_resume import back


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "LOOK_EVERY", 0.05)


async def enter(place: PlayedGateway, person: int, share: str = SHARE) -> Guest:
    return await come_in(place.base, share, f"t{person}")


async def status(place: PlayedGateway, path: str, token: str = "t0") -> tuple[int, str]:
    async with httpx.AsyncClient(base_url=place.base, headers={"Authorization": f"Bearer {token}"}) as http:
        answer = await http.get(path)
        return answer.status_code, answer.json().get("code", "")


def shows(guest: Guest, text: str) -> bool:
    return text in guest.screen


def told_offline(guest: Guest) -> bool:
    return any(each["d"]["about"] == "offline" for each in guest.of("system"))


async def test_viewers_are_told_that_the_owner_is_offline_and_after_five_minutes_everything_ends(
    tmp_path: Path,
) -> None:
    async with gateway(tmp_path) as place:
        hub = await place.hub(SHARE)
        place.share(hub)
        guest = await enter(place, 0)
        hub.transport.abort()
        await guest.until(lambda: told_offline(guest))
        place.clock.ahead = house.OFFLINE - 30
        await asyncio.sleep(0.2)
        assert guest.closed is None, "they may wait"
        place.clock.ahead = house.OFFLINE + 1
        await guest.until(lambda: guest.closed is not None)
        assert guest.closed == 4000
        assert guest.of("ended")[0]["d"]["text"] == "the owner has been offline for too long"
        assert await asyncio.wait_for(asyncio.shield(place.served), 10) == 0
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", int(place.base.rpartition(":")[2]))


async def test_a_hub_that_comes_back_in_time_stops_the_count(tmp_path: Path) -> None:
    async with gateway(tmp_path) as place:
        first = await place.hub(SHARE)
        place.share(first)
        guest = await enter(place, 0)
        first.transport.abort()
        await guest.until(lambda: told_offline(guest))
        place.clock.ahead = house.OFFLINE - 10
        second = await place.hub(SHARE)
        place.share(second)
        await guest.until(lambda: guest.closed is not None)
        assert guest.closed == 4408, "come back: the new hub's log counts"
        place.clock.ahead = house.OFFLINE + 100
        again = await enter(place, 0)
        await asyncio.sleep(0.2)
        assert again.closed is None
        assert not place.served.done()


async def test_nothing_is_read_while_nobody_decides_what_may_leave(tmp_path: Path) -> None:
    async with gateway(tmp_path) as place:
        hub = await place.hub(SHARE)
        place.share(hub)
        await until(lambda: _is(place, 200))
        hub.transport.abort()
        await until(lambda: _is(place, 503))
        for path in ("", "/screen", "/snapshot", "/participants", "/queue", "/messages", "/history", "/events"):
            assert await status(place, f"/v1/s/{SHARE}{path}") == (503, "UNAVAILABLE"), path
        known = await status(place, f"/v1/s/{SHARE}", "wrong")
        assert known == await status(place, "/v1/s/ffffffffffffffff", "wrong"), "known and unknown shares look alike"


async def _is(place: PlayedGateway, code: int) -> bool:
    return (await status(place, f"/v1/s/{SHARE}/screen"))[0] == code


async def test_the_end_of_a_share_is_kept_although_the_hub_hangs_and_whatever_the_time_is(tmp_path: Path) -> None:
    async with gateway(tmp_path) as place:
        hub = await place.hub(SHARE)
        place.share(hub, seconds=3600)
        guest = await enter(place, 0)
        place.clock.ahead = 3540
        await asyncio.sleep(0.2)
        assert guest.closed is None
        assert (await status(place, f"/v1/s/{SHARE}/screen"))[0] == 200
        place.clock.ahead = 3601  # the hub, asleep or stopped, says nothing
        await guest.until(lambda: guest.closed is not None)
        assert guest.closed == 4411
        assert (await status(place, f"/v1/s/{SHARE}/screen"))[0] in (401, 410)


async def test_the_hub_that_came_last_owns_the_shares_and_the_one_before_is_told_and_not_heard(tmp_path: Path) -> None:
    async with gateway(tmp_path) as place:
        first = await place.hub(SHARE)
        place.share(first)
        guest = await enter(place, 0)
        second = await place.hub(SHARE)
        await asyncio.wait_for(first.lost.wait(), 5)
        assert [type(message) for message in first.heard[-1:]] == [g.Replaced]
        place.share(second)
        again = await enter(place, 0)
        await again.until(lambda: shows(again, "hello"))
        second.send(g.Drawn(share=SHARE, frame=picture("second", 2)))
        await again.until(lambda: shows(again, "second"))
        assert not second.lost.is_set()
        assert guest.closed == 4408


async def test_what_the_next_hub_does_not_share_any_more_ends(tmp_path: Path) -> None:
    other = "f" * 16
    async with gateway(tmp_path) as place:
        first = await place.hub(SHARE, other)
        place.share(first)
        place.share(first, share=other)
        kept, ended = await enter(place, 0), await enter(place, 0, other)
        first.transport.abort()
        await ended.until(lambda: told_offline(ended))
        second = await place.hub(SHARE)
        place.share(second)
        await ended.until(lambda: ended.closed is not None)
        assert ended.closed == 4000
        await kept.until(lambda: kept.closed is not None)
        assert kept.closed == 4408


def answering(question: g.FromGateway) -> v.Echo | None:
    return v.Echo(ref=question.key, seq=1) if isinstance(question, g.Wants) else None


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
async def test_a_jump_of_the_systems_clock_ends_nothing_locks_nobody_out_and_forgives_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    async with gateway(tmp_path) as place:
        hub = await place.hub(SHARE)
        hub.answer = answering
        place.share(hub, seconds=1800)
        busy, quiet = await enter(place, 0), await enter(place, 1)
        for n in range(21):
            await busy.send("chat", f"k{n}", text="hello")
        for n in range(15):
            await quiet.send("chat", f"k{n}", text="hello")
        assert (await busy.answer("k20"))["d"]["code"] == "RATE_LIMITED"
        await quiet.answer("k14")
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + jump)
        for n in range(15, 21):
            await quiet.send("chat", f"k{n}", text="hello")
        assert (await quiet.answer("k19"))["t"] == "echo", "what was counted counts on, no longer than it did"
        assert (await quiet.answer("k20"))["d"]["code"] == "RATE_LIMITED"
        await busy.send("chat", "k21", text="hello")
        refused = await busy.answer("k21")
        assert refused["d"]["code"] == "RATE_LIMITED"
        assert refused["d"]["retry_after"] <= 60
        await asyncio.sleep(0.2)
        assert (busy.closed, quiet.closed) == (None, None)
        place.clock.ahead = 61.0
        await busy.send("chat", "k22", text="hello")
        assert (await busy.answer("k22"))["t"] == "echo"


# ── two of them ────────────────────────────────────────────────────────────────────────────────


async def test_a_second_hub_takes_the_shares_over_and_the_first_lets_go_and_does_not_fight(world: World) -> None:
    notices: list[str] = []
    world.client.on_push = lambda push: notices.append(push.text) if isinstance(push, m.Notice) else None
    await world.client.ask(m.Watch(resources=False), m.Sessions)
    session = await world.start("/bin/sh", "-c", "while read x; do echo [$x]; done")
    link = await world.share(session)
    joined = await world.token(link, "ana")
    guest = await world.enter(link, joined.token)
    await guest.until(lambda: guest.of("snapshot"))
    first, pid = world.hub.sharing.shares, world.gateway_pid()
    listed = world.allowlist.read_text()
    async with Hub(world.paths, world.hub.roster._config) as other:
        second = other.sharing.shares
        await until(lambda: second.gateway.connected and link.share in second.rooms)
        await until(lambda: not first.rooms and not first.gateway.connected)
        again = await back(world, link, joined.token, since=max(guest.seqs, default=0), epoch=guest.epoch)
        await asyncio.sleep(1.0)
        assert any("another hub" in text for text in notices)
        assert second.gateway.connected, "the first has not come back"
        assert (second.gateway.pid, again.closed) == (pid, None)
        assert world.allowlist.read_text() == listed
        await second.end(second.rooms[link.share], "ENDED", "over")
        await again.until(lambda: again.closed is not None)


async def test_a_second_gateway_of_the_same_place_says_that_there_is_one(world: World) -> None:
    await world.share(await world.start("/bin/sh", "-c", "sleep 1000"))
    second = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agentdeck.gateway", "--run", world.paths.run, stderr=asyncio.subprocess.PIPE
    )
    _, told = await asyncio.wait_for(second.communicate(), 20)
    assert (second.returncode, told) == (ALREADY_RUNNING, b"")
    assert (await world.facts()).share


async def test_a_gateway_of_another_version_is_replaced_by_one_of_ours(world: World) -> None:
    old = await asyncio.create_subprocess_exec("sleep", "1000")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(encode(g.Ready(version=g.VERSION + 1, pid=old.pid, url="http://127.0.0.1:1")))
        await reader.read()
        writer.close()

    world.paths.run.mkdir(parents=True, exist_ok=True)
    async with await asyncio.start_unix_server(answer, world.paths.run / SOCKET):
        link = await world.share(await world.start("/bin/sh", "-c", "echo hello; sleep 1000"))
        assert await asyncio.wait_for(old.wait(), 10) == -signal.SIGTERM
        guest = await world.join(link)
        await guest.until(lambda: "hello" in guest.screen)
