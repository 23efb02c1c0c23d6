"""Every role with every message and every route, as the schema says; and nobody reaches another's share."""

from typing import Any

import httpx
import msgspec
import pytest

from agentdeck.gateway.routes import documented
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from agentdeck.protocol import viewers as v
from agentdeck.share.roles import may
from tests.gateway.conftest import World

BODIES: dict[str, dict[str, Any]] = {
    "chat": {"text": "hello"}, "command": {"text": "echo one"}, "cancel": {"item": "nothing"}, "keys": {"data": "x"},
    "name": {"name": "somebody"},
}  # fmt: skip


@pytest.mark.parametrize(("role", "hands"), [*((role, False) for role in v.GUEST_ROLES), ("driver", True)])
async def test_a_role_may_send_what_the_schema_says_and_nothing_else(world: World, role: str, hands: bool) -> None:
    session = await world.start("/bin/sh", "-c", "while read x; do echo [$x]; done")
    await world.share(session)
    link = await world.invite(session, role, max_uses=2)
    guest = await world.join(link, "ana")
    joined = await world.token(link, "ben")
    if hands:
        for name in ("ana", "ben"):
            await world.client.ask(s.SetRole(session=session, participant=name, role=role, hands=True), m.Done)
        await guest.until(lambda: guest.of("role"))
    async with httpx.AsyncClient(base_url=link.base, headers={"Authorization": f"Bearer {joined.token}"}) as http:
        for kind in v.KINDS:
            if kind.client is None or kind.name in ("auth", "resync"):
                continue
            body = BODIES.get(kind.name, {})
            await guest.send(kind.name, f"w{kind.name}", **body)
            over_socket = (await guest.answer(f"w{kind.name}"))["d"].get("code", "")
            sent = {"t": kind.name, "id": f"h{kind.name}", "d": body}
            over_http = (await http.post(f"/v1/s/{link.share}/messages", json=sent)).json().get("code", "")
            for code in (over_socket, over_http):
                if kind.name == "cancel" and may(role, "cancel"):
                    continue  # there is no such prompt
                assert (code != "FORBIDDEN") == may(role, kind.name, hands=hands), (kind.name, code)
        for kind in v.KINDS:
            if kind.client is None:
                sent = {"t": kind.name, "d": {}}
                assert (await http.post(f"/v1/s/{link.share}/messages", json=sent)).status_code == 400


async def test_no_route_answers_a_stranger_or_a_guest_of_another_share(world: World) -> None:
    first = await world.start("/bin/sh", "-c", "echo first; sleep 1000")
    second = await world.start("/bin/sh", "-c", "echo second; sleep 1000")
    one, two = await world.share(first), await world.share(second)
    joined = await world.token(one, "ana")
    driver = await world.token(await world.invite(second, "driver"), "ben")
    paths: dict[str, Any] = documented()["paths"]
    checked = 0
    async with httpx.AsyncClient(base_url=one.base) as http:
        for path, operations in paths.items():
            if path.endswith("/join"):
                continue
            url = path.replace("{share}", two.share).replace("{item}", f"{driver.participant}.1")
            for method in operations:
                for token in ("", joined.token, "x" * 43, driver.token[:-1]):
                    headers = {"Authorization": f"Bearer {token}"} if token else {}
                    if path == "/api/sessions" and token == joined.token:
                        told = (await http.get(url, headers=headers)).json()["sessions"]
                        assert [each["share"] for each in told] == [one.share]
                        continue
                    body = msgspec.json.encode({"t": "chat", "d": {"text": "x"}}) if method == "post" else None
                    answer = await http.request(
                        method.upper(), url, headers={**headers, "Content-Type": "application/json"}, content=body
                    )
                    assert answer.status_code == 401, (method, url, answer.text)
                    checked += 1
    assert checked > 30
    guest = await world.enter(two, joined.token)
    await guest.until(lambda: guest.closed is not None)
    assert guest.closed == 4401


async def test_the_owners_scripts_find_a_share_by_the_id_of_the_cli(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "sleep 1000")
    link = await world.share(session)
    token = (world.paths.run / "gateway.token").read_text()
    assert (world.paths.run / "gateway.token").stat().st_mode & 0o777 == 0o600
    async with httpx.AsyncClient(base_url=link.base) as http:
        answer = await http.get("/api/sessions", headers={"Authorization": f"Bearer {token}"})
        (told,) = answer.json()["sessions"]
        assert told["url"] == link.url.partition("#")[0]
        none = await http.get("/api/sessions?claude_session_id=x", headers={"Authorization": f"Bearer {token}"})
        assert none.json() == {"sessions": []}


async def test_nobody_takes_back_anothers_prompt(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "sleep 1000")
    await world.share(session)
    link = await world.invite(session, "driver", max_uses=2)
    ana, ben = await world.join(link, "ana"), await world.join(link, "ben")
    await ana.send("command", "k1", text="echo hello")
    item = (await ana.answer("k1"))["d"]["item"]
    await ben.send("cancel", "c1", item=item)
    assert (await ben.answer("c1"))["d"]["code"] == "FORBIDDEN"
