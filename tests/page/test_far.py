"""The page over TLS, and behind a proxy, in a real Chromium: the browser's own sockets, cookies and origins."""

import sys
from pathlib import Path

import pytest

from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from tests.gateway.authority import Authority
from tests.gateway.conftest import World
from tests.gateway.proxy import proxied
from tests.gateway.test_reach import PROXY, SHELL, lan
from tests.page.conftest import Visit

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(sys.platform != "linux", reason="needs 127.0.0.2, which only Linux has without being asked"),
]


async def test_a_browser_sees_and_says_over_tls_and_ignores_the_fingerprint_in_the_link(
    world: World, visit: Visit
) -> None:
    session = await world.start(*SHELL)
    link = await lan(world, session, role="commenter")
    assert "." in link.url.partition("#")[2]
    guest = await visit(ignore_https_errors=True)
    await guest.open(link)
    await world.client.ask(m.SendText(session=session, text="quince"), m.Done)
    await guest.until_terminal("heard quince")
    await guest.page.reload()
    await guest.until_terminal("heard quince")
    (cookie,) = await guest.page.context.cookies([f"{link.base}/v1/s/{link.share}"])
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")
    assert "#" not in guest.page.url
    await guest.say("hello from afar")
    await guest.sees("#chat", "hello from afar")
    assert not guest.complaints


async def test_a_browser_comes_back_by_itself_when_the_door_for_others_opens(world: World, visit: Visit) -> None:
    session = await world.start(*SHELL)
    near = await world.share(session)
    guest = await visit()
    await guest.open(near)
    await lan(world)
    await world.client.ask(m.SendText(session=session, text="medlar"), m.Done)
    await guest.until_terminal("heard medlar")


async def test_a_browser_works_by_way_of_a_proxy(world: World, visit: Visit, tmp_path: Path) -> None:
    session = await world.start(*SHELL)
    await world.client.ask(s.AllowRepository(path=str(world.place), server="lan"), m.Done)
    async with proxied(PROXY, Authority(tmp_path).issue(PROXY).server()) as proxy:
        link = await world.share(session, url=f"https://{PROXY}:{proxy.port}", role="commenter")
        proxy.upstream = world.hub.sharing.shares.gateway.place.port
        guest = await visit(ignore_https_errors=True)
        await guest.open(link)
        await world.client.ask(m.SendText(session=session, text="quince"), m.Done)
        await guest.until_terminal("heard quince")
        await guest.say("through the proxy")
        await guest.sees("#chat", "through the proxy")
        assert (await world.facts()).people[0].address == proxy.client
        assert not guest.complaints
