"""Reading the log from its end, and what a page is told again after a reload."""

import gzip

import httpx

from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from agentdeck.share import tokens
from tests.gateway.conftest import World


async def test_the_log_can_be_read_backwards_page_by_page_by_kind(world: World) -> None:
    session = await world.start("/bin/sh", "-c", "sleep 1000")
    link = await world.share(session)
    for n in range(7):
        await world.client.ask(s.Say(session=session, text=f"word {n}"), m.Done)
    joined = await world.token(link, "ana")
    head = {"Authorization": f"Bearer {joined.token}"}
    async with httpx.AsyncClient(base_url=f"{link.base}/v1/s/{link.share}", headers=head) as http:
        every = (await http.get("/messages", params={"limit": 500})).json()["messages"]
        for what, kinds in (("messages", None), ("talk", ("chat", "system")), ("history", ("feed", "status"))):
            wanted = [each["seq"] for each in every if kinds is None or each["t"] in kinds]
            found: list[int] = []
            before = every[-1]["seq"] + 1
            while before:
                told = (await http.get(f"/{what}", params={"before": before, "limit": 3})).json()
                seqs = [each["seq"] for each in told["messages"]]
                assert seqs == sorted(seqs), "oldest first"
                found = seqs + found
                before = told.get("next", 0)
            assert found == wanted, what


async def test_who_has_the_cookie_is_told_the_csrf_value_again_and_nobody_else(world: World) -> None:
    link = await world.share(await world.start("/bin/sh", "-c", "sleep 1000"))
    path = f"/v1/s/{link.share}"
    async with httpx.AsyncClient(base_url=link.base, headers={"Origin": link.base}) as http:
        joined = (await http.post(f"{path}/join", json={"secret": link.secret})).json()
        assert (await http.get(path)).json()["csrf"] == joined["csrf"]
        cookie = http.cookies["agentdeck"]
        assert joined["csrf"] == tokens.csrf(cookie)
        assert joined["csrf"] not in cookie
        foreign = await http.get(path, headers={"Sec-Fetch-Site": "same-site"})
        assert foreign.status_code == 403
    program = await world.token(link)
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {program.token}"}) as http:
        assert (await http.get(link.base + path)).json()["csrf"] == ""


async def test_the_page_comes_packed_to_those_who_can_unpack_it(world: World) -> None:
    link = await world.share(await world.start("/bin/sh", "-c", "sleep 1000"))
    async with httpx.AsyncClient(base_url=link.base) as http:
        plain = await http.get("/assets/app.js", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        async with http.stream("GET", "/assets/app.js", headers={"Accept-Encoding": "gzip"}) as answer:
            packed = b"".join([each async for each in answer.aiter_raw()])
    assert len(packed) < len(plain.content) / 2
    assert gzip.decompress(packed) == plain.content
