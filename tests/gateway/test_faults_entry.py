"""Strangers guess, and guests reach for what is another's: nobody gets in, and nobody else pays for it."""

import asyncio
import contextlib
import ssl
import statistics
import time
from pathlib import Path

import httpx
import pytest

from agentdeck.gateway import budget, doors, service
from agentdeck.hub import shares as hub_shares
from agentdeck.protocol import gateway as g
from agentdeck.protocol import messages as m
from agentdeck.share.refusal import RefusedError
from tests.gateway.conftest import World, until
from tests.gateway.played import SHARE, come_in, gateway

# ── guessing ───────────────────────────────────────────────────────────────────────────────────


async def test_tokens_cannot_be_guessed_for_long_and_those_with_a_right_one_do_not_pay_for_it(tmp_path: Path) -> None:
    async with gateway(tmp_path) as place:
        place.share(await place.hub(SHARE))
        async with httpx.AsyncClient(base_url=place.base, timeout=30) as http:

            async def ask(token: str) -> int:
                return (await http.get(f"/v1/s/{SHARE}", headers={"Authorization": f"Bearer {token}"})).status_code

            most = budget.LIMITS["guess"].most
            answers = [await ask(f"x{n}") for n in range(most + 5)]
            assert answers == [401] * most + [429] * 5
            assert await ask("t0") == 200
            guest = await come_in(place.base, SHARE, "x")
            await guest.until(lambda: guest.closed is not None)
            assert guest.closed == 4429
            place.clock.ahead = 61
            assert await ask("x") == 401


async def test_codes_of_all_who_guess_are_counted_together_and_a_code_stays_locked_out_for_its_life(
    tmp_path: Path,
) -> None:
    async with gateway(tmp_path) as place:
        hub = await place.hub(SHARE)
        hub.answer = lambda question: RefusedError("NO_SUCH_SHARE").problem if isinstance(question, g.AskCode) else None
        place.share(hub)
        async with httpx.AsyncClient(base_url=place.base, timeout=30) as http:

            async def guess(n: int) -> int:
                return (await http.post("/v1/join", json={"code": f"0000-{n:04}", "bearer": True})).status_code

            assert [await guess(n) for n in range(7)] == [404] * 5 + [429] * 2
            place.clock.ahead = 61.0
            assert await guess(8) == 429, "a minute later still"
            place.clock.ahead = 601.0
            assert await guess(9) == 404
            assert len(hub.of(g.AskCode)) == 6, "what is locked out is not even asked"


async def test_a_wrong_secret_and_an_unknown_share_take_the_same_way_and_time(world: World) -> None:
    link = await world.share(await world.start("/bin/sh", "-c", "sleep 1000"))
    took: dict[str, list[float]] = {link.share: [], "0" * 16: []}
    asked: list[g.AskJoin] = []
    shares = world.hub.sharing.shares
    judge = shares._judge

    async def judged(question: g.AskJoin | g.AskCode | g.AskLog | g.Wants) -> object:
        if isinstance(question, g.AskJoin):
            asked.append(question)
        return await judge(question)

    shares._judge = judged  # type: ignore[method-assign, assignment]
    async with httpx.AsyncClient(base_url=link.base) as http:
        for _ in range(5):
            for share, times in took.items():
                began = time.perf_counter()
                answer = await http.post(f"/v1/s/{share}/join", json={"secret": "x" * 43, "bearer": True})
                times.append(time.perf_counter() - began)
                assert answer.status_code == 404
    assert [question.share for question in asked] == [*took] * 5, "both are judged by the hub"
    middle = [statistics.median(times) for times in took.values()]
    assert abs(middle[0] - middle[1]) < 0.02, took


# ── what is another's ──────────────────────────────────────────────────────────────────────────


async def test_the_cookie_of_one_share_is_worth_nothing_in_another(world: World) -> None:
    one = await world.share(await world.start("/bin/sh", "-c", "echo first; sleep 1000"))
    two = await world.share(await world.start("/bin/sh", "-c", "echo second; sleep 1000"))
    async with httpx.AsyncClient(base_url=one.base, headers={"Origin": one.base}) as http:
        joined = (await http.post(f"/v1/s/{one.share}/join", json={"secret": one.secret, "name": "ana"})).json()
        token = http.cookies["agentdeck"]
        http.cookies.clear()
        stolen = {"Cookie": f"agentdeck={token}", "X-Agentdeck-CSRF": joined["csrf"]}
        assert (await http.get(f"/v1/s/{one.share}/screen", headers=stolen)).status_code == 200
        for path in ("", "/screen", "/snapshot", "/participants", "/queue", "/messages", "/history", "/events"):
            assert (await http.get(f"/v1/s/{two.share}{path}", headers=stolen)).status_code == 401, path
        said = await http.post(f"/v1/s/{two.share}/messages", json={"t": "chat", "d": {"text": "x"}}, headers=stolen)
        assert said.status_code == 401
        assert (await http.delete(f"/v1/s/{two.share}/queue/x", headers=stolen)).status_code == 401
        both = {**stolen, "Cookie": f"agentdeck={token}; agentdeck=x"}
        assert (await http.get(f"/v1/s/{two.share}/screen", headers=both)).status_code == 401


async def test_nobody_speaks_or_asks_as_somebody_else(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "sleep 1000")
    await world.share(session)
    link = await world.invite(session, "driver", max_uses=2)
    ana, ben = await world.join(link, "ana"), await world.join(link, "ben")
    anas = ana.of("hello")[0]["d"]["participant"]
    await ben.socket.send(
        f'{{"t":"chat","id":"1","by":"{anas}","d":{{"text":"hi","by":"{anas}","participant":"{anas}"}}}}'
    )
    await ana.until(lambda: ana.of("chat"))
    assert ana.of("chat")[0]["by"] == ben.of("hello")[0]["d"]["participant"]
    await ben.send("typing", on=True, participant=anas)
    await ana.until(lambda: ana.of("typing"))
    assert ana.of("typing")[0]["d"]["participant"] != anas
    for n, item in enumerate((f"{anas}.k1", "../x", "%00", "", "x" * 65, "p_1.k")):
        await ben.send("cancel", f"c{n}", item=item)
        assert (await ben.answer(f"c{n}"))["t"] == "error"


# ── its end by time alone ──────────────────────────────────────────────────────────────────────


async def test_a_share_ends_ten_minutes_after_its_session_and_two_hours_after_its_last_viewer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (hub_shares.AFTER_END, hub_shares.UNWATCHED) == (600.0, 7200.0)
    monkeypatch.setattr(hub_shares, "AFTER_END", 0.5)
    monkeypatch.setattr(hub_shares, "LOOK_EVERY", 0.1)
    session = await world.start("/bin/sh", "-c", "read x")
    guest = await world.join(await world.share(session))
    quiet = await world.start("/bin/sh", "-c", "sleep 1000")
    await world.share(quiet)
    world.client.post(m.Input(session=session, data=b"\r"))
    await guest.until(lambda: guest.closed is not None)
    assert guest.closed == 4000
    assert guest.of("ended")[0]["d"]["text"] == "the session has ended"
    shares = world.hub.sharing.shares
    assert [room.key for room in shares.rooms.values()] == [quiet]
    monkeypatch.setattr(hub_shares, "UNWATCHED", 0.3)
    await until(lambda: not shares.rooms)


# ── TLS ────────────────────────────────────────────────────────────────────────────────────────


async def test_who_connects_to_the_sealed_door_and_never_agrees_on_keys_is_cut_off_and_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "TLS_DEADLINE", 1.5)
    async with gateway(tmp_path, doors.Wish(lan="127.0.0.2")) as place:
        place.share(await place.hub(SHARE))
        port = int(place.base.rpartition(":")[2])
        waiting = [await asyncio.open_connection("127.0.0.2", port) for _ in range(200)]
        for n, (_, writer) in enumerate(waiting):
            if n % 2:
                writer.write(b"\x16\x03\x01\x02\x00\x01\x00")  # the beginning of a client's hello
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        async with httpx.AsyncClient(base_url=f"https://127.0.0.2:{port}", verify=trusting) as http:
            answer = await http.get(f"/v1/s/{SHARE}/screen", headers={"Authorization": "Bearer t0"})
        assert answer.status_code == 401, "this share is not for that door"
        async with asyncio.timeout(10):
            for reader, writer in waiting:
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
                writer.close()
