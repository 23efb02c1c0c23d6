"""Who gets in, with what, as what, and how they are sent away."""

import httpx
import msgspec
import pytest
from websockets.asyncio import client as websocket

from agentdeck.errors import ShareError
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from agentdeck.protocol import viewers as v
from tests.gateway.conftest import Guest, Link, World


async def shared(world: World, **more: object) -> tuple[str, Link]:
    session = await world.start("/bin/sh", "-c", "sleep 1000")
    return session, await world.share(session, **more)


async def page_join(link: Link, http: httpx.AsyncClient, name: str = "ana") -> dict[str, str]:
    answer = await http.post(
        f"/v1/s/{link.share}/join", json={"secret": link.secret, "name": name}, headers={"Origin": link.base}
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_page_gets_a_cookie_that_scripts_cannot_read_and_needs_its_csrf_value(world: World) -> None:
    session, _ = await shared(world)
    link = await world.invite(session, "commenter")
    async with httpx.AsyncClient(base_url=link.base) as http:
        answer = await http.post(
            f"/v1/s/{link.share}/join", json={"secret": link.secret, "name": "ana"}, headers={"Origin": link.base}
        )
        cookie = answer.headers["set-cookie"].lower()
        assert f"path=/v1/s/{link.share}" in cookie
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "token" not in answer.json()
        csrf = answer.json()["csrf"]
        say = {"t": "chat", "id": "1", "d": {"text": "hi"}}
        url, origin = f"/v1/s/{link.share}/messages", {"Origin": link.base}
        assert (await http.post(url, json=say, headers=origin)).status_code == 401
        assert (await http.post(url, json=say, headers={**origin, "X-Agentdeck-CSRF": "x"})).status_code == 401
        assert (await http.post(url, json=say, headers={"X-Agentdeck-CSRF": csrf})).status_code == 403
        done = await http.post(url, json=say, headers={**origin, "X-Agentdeck-CSRF": csrf})
        assert done.status_code == 201
        again = await http.post(url, json=say, headers={**origin, "X-Agentdeck-CSRF": csrf})
        assert (again.status_code, again.json()["seq"]) == (200, done.json()["seq"])
        token = http.cookies["agentdeck"]
    headers = {"Cookie": f"agentdeck={token}"}
    address = f"{link.base.replace('http', 'ws')}/v1/s/{link.share}/ws"
    async with websocket.connect(address, additional_headers=headers, origin=link.base, compression=None) as socket:  # type: ignore[arg-type]
        await socket.send(msgspec.json.encode({"t": "auth", "d": {"csrf": csrf}}).decode())
        assert msgspec.json.decode(await socket.recv())["t"] == "hello"
    async with websocket.connect(address, additional_headers=headers, origin=link.base, compression=None) as socket:  # type: ignore[arg-type]
        await socket.send(msgspec.json.encode({"t": "auth", "d": {"csrf": "wrong"}}).decode())
        await socket.recv()
        await socket.wait_closed()
        assert socket.close_code == 4401


async def test_a_wrong_secret_and_an_unknown_share_cannot_be_told_apart(world: World) -> None:
    _, link = await shared(world)
    async with httpx.AsyncClient(base_url=link.base) as http:
        answers = [
            await http.post(f"/v1/s/{share}/join", json={"secret": secret, "bearer": True})
            for share, secret in ((link.share, "x" * 43), ("0" * 16, link.secret), ("0" * 16, "x"))
        ]
        asked = [await http.get(f"/v1/s/{share}", headers={"Authorization": "Bearer x"}) for share in (link.share, "0")]
    assert len({(a.status_code, a.content) for a in answers}) == 1
    assert answers[0].status_code == 404
    assert len({(a.status_code, a.content) for a in asked}) == 1
    assert asked[0].status_code == 401


async def test_an_invite_lets_in_as_many_as_it_says_and_an_expired_one_nobody(world: World) -> None:
    session, _ = await shared(world)
    link = await world.invite(session, "observer", max_uses=2)
    await world.token(link)
    await world.token(link)
    short = await world.invite(session, "observer", expires=0.2)
    await world.until_expired()
    async with httpx.AsyncClient(base_url=link.base) as http:
        full = await http.post(f"/v1/s/{link.share}/join", json={"secret": link.secret, "bearer": True})
        expired = await http.post(f"/v1/s/{link.share}/join", json={"secret": short.secret, "bearer": True})
    assert (full.status_code, full.json()["code"]) == (503, "FULL")
    assert (expired.status_code, expired.json()["code"]) == (410, "EXPIRED")


async def test_a_typed_code_lets_somebody_wait_until_the_owner_has_compared_the_words(world: World) -> None:
    session, link = await shared(world)
    async with httpx.AsyncClient(base_url=link.base) as http:
        asked = await http.post("/v1/join", json={"code": link.code.lower(), "name": "ben", "bearer": True})
        assert asked.status_code == 202
        joined = msgspec.json.decode(asked.content, type=v.Joined)
        again = await http.post("/v1/join", json={"code": link.code, "name": "eve", "bearer": True})
        assert again.status_code in (404, 503), "a code is good for one"
        bearer = {"Authorization": f"Bearer {joined.token}"}
        assert (await http.get(f"/v1/s/{link.share}/screen", headers=bearer)).json()["code"] == "NOT_APPROVED"
        assert (await http.get(f"/v1/s/{link.share}", headers=bearer)).json()["pending"]
    guest = await world.enter(link, joined.token)
    await guest.until(lambda: guest.of("waiting"))
    assert not guest.of("hello")
    waiting = next(person for person in (await world.facts()).people if person.pending)
    assert waiting.words == joined.words == guest.of("waiting")[0]["d"]["words"]
    assert waiting.address == "127.0.0.1"
    await world.client.ask(s.Admit(session=session, participant=waiting.id), m.Done)
    await guest.until(lambda: guest.of("snapshot"))


async def test_a_guest_who_is_not_let_in_is_told_and_is_out(world: World) -> None:
    session, link = await shared(world)
    async with httpx.AsyncClient(base_url=link.base) as http:
        joined = (await http.post("/v1/join", json={"code": link.code, "name": "ben", "bearer": True})).json()
    guest = await world.enter(link, joined["token"])
    await guest.until(lambda: guest.of("waiting"))
    await world.client.ask(s.Admit(session=session, participant=joined["participant"], on=False), m.Done)
    await guest.until(lambda: guest.closed is not None)
    assert guest.closed == 4403


async def test_codes_cannot_be_guessed_for_long(world: World) -> None:
    _, link = await shared(world)
    async with httpx.AsyncClient(base_url=link.base) as http:
        answers = [
            (await http.post("/v1/join", json={"code": f"0000-00{n:02}", "bearer": True})).status_code for n in range(8)
        ]
        right = await http.post("/v1/join", json={"code": link.code, "bearer": True})
    assert answers[:5] == [404] * 5
    assert set(answers[5:]) == {429}
    assert right.status_code == 429, "even the right one, now"
    assert int(right.headers["retry-after"]) > 0


async def test_secrets_cannot_be_guessed_for_long(world: World) -> None:
    _, link = await shared(world)
    async with httpx.AsyncClient(base_url=link.base) as http:
        answers = [
            (await http.post(f"/v1/s/{link.share}/join", json={"secret": f"x{n}", "bearer": True})).status_code
            for n in range(14)
        ]
    assert answers[:10] == [404] * 10
    assert set(answers[10:]) == {429}


async def gone(guest: Guest) -> int | None:
    await guest.until(lambda: guest.closed is not None, 5.0)
    return guest.closed


async def test_who_is_kicked_or_whose_invite_is_revoked_is_out_at_once_and_cannot_come_back(world: World) -> None:
    session, _ = await shared(world)
    link = await world.invite(session, "commenter", max_uses=3)
    tokens = [await world.token(link, name) for name in ("ana", "ben", "cem")]
    ana, ben, cem = [await world.enter(link, each.token) for each in tokens]
    for each in (ana, ben, cem):
        await each.until(lambda each=each: each.of("snapshot"))  # type: ignore[misc]
    await world.client.ask(s.Kick(session=session, participant="ana"), m.Done)
    assert await gone(ana) == 4410
    assert ben.closed is None
    await ben.until(lambda: any("ana was removed" in each["d"]["text"] for each in ben.of("system")))
    back = await world.enter(link, tokens[0].token)
    assert await gone(back) == 4401
    await world.client.ask(s.Revoke(session=session), m.Done)
    assert (await gone(ben), await gone(cem)) == (4410, 4410)
    async with httpx.AsyncClient(base_url=link.base) as http:
        bearer = {"Authorization": f"Bearer {tokens[1].token}"}
        assert (await http.get(f"/v1/s/{link.share}/messages", headers=bearer)).status_code == 401
        again = await http.post(f"/v1/s/{link.share}/join", json={"secret": link.secret, "bearer": True})
        assert again.status_code == 404
    with pytest.raises(ShareError):
        await world.client.ask(s.Revoke(session=session, invite="nothing"), m.Done)


async def test_the_owner_changes_what_somebody_may_do_at_any_time(world: World) -> None:
    session, _ = await shared(world)
    guest = await world.join(await world.invite(session, "observer"), "ana")
    await guest.send("chat", "1", text="hi")
    assert (await guest.answer("1"))["d"]["code"] == "FORBIDDEN"
    await world.client.ask(s.SetRole(session=session, participant="ana", role="commenter"), m.Done)
    await guest.until(lambda: guest.of("role"))
    await guest.send("chat", "2", text="hi")
    assert (await guest.answer("2"))["t"] == "echo"
    await world.client.ask(s.SetRole(session=session, participant="ana", role="observer"), m.Done)
    await guest.until(lambda: len(guest.of("role")) == 2)
    await guest.send("chat", "3", text="hi")
    assert (await guest.answer("3"))["d"]["code"] == "FORBIDDEN"
    with pytest.raises(ShareError):
        await world.client.ask(s.SetRole(session=session, participant="ana", role="owner"), m.Done)


async def test_names_are_cleaned_and_nobody_takes_anothers(world: World) -> None:
    session, _ = await shared(world)
    link = await world.invite(session, "observer", max_uses=5)
    names = [
        (await world.token(link, name)).name
        for name in ("  Ana\u202e\x1b[31m ", "ana[31m", "", "owner", "x" * 60)
    ]  # fmt: skip
    assert names == ["Ana[31m", "ana[31m 2", "guest", "owner 2", "x" * 40]


async def test_presence_and_typing_are_told(world: World) -> None:
    session, _ = await shared(world)
    link = await world.invite(session, "commenter", max_uses=2)
    ana, ben = await world.join(link, "ana"), await world.join(link, "ben")

    def here() -> set[str]:
        return {p["name"] for p in ana.newest("presence").get("participants", []) if p["online"]}

    await ana.until(lambda: here() == {"ana", "ben"})
    await ben.send("typing", on=True)
    await ana.until(lambda: ana.of("typing"))
    await ben.socket.close()
    await ana.until(lambda: here() == {"ana"})
    facts = await world.facts()
    assert facts.viewers == 1
