"""How people come in with a browser, and how they are sent away."""

import msgspec
import pytest

from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from tests.gateway.conftest import Link, World
from tests.page.conftest import Visit, until

pytestmark = pytest.mark.chromium


async def shared(world: World, **more: object) -> tuple[str, Link]:
    session = await world.start("/bin/sh", "-c", "echo hello from here; sleep 1000")
    return session, await world.share(session, **more)


async def test_a_link_asks_for_a_name_and_opens_the_session_without_its_secret_in_sight(
    world: World, visit: Visit
) -> None:
    _, link = await shared(world)
    ana = await visit()
    await ana.page.goto(link.url)
    offered = await ana.page.input_value("#name-1")
    assert offered
    await ana.page.click("#enter-name button.main")
    await ana.until_terminal("hello from here")
    assert ana.page.url == f"{link.base}/s/{link.share}"
    cookies = await ana.page.context.cookies(f"{link.base}/v1/s/{link.share}/")
    assert [(each["httpOnly"], each["sameSite"]) for each in cookies] == [(True, "Strict")]
    kept = await ana.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    csrf = await ana.page.evaluate(f"fetch('/v1/s/{link.share}').then((answer) => answer.json())")
    assert link.secret not in kept
    assert csrf["csrf"] not in kept, "what proves that it is the page is in memory only"
    assert [person.name for person in (await world.facts()).people] == [offered]
    assert ana.complaints == []


async def test_a_reload_and_a_second_tab_are_still_the_same_person(world: World, visit: Visit) -> None:
    _, link = await shared(world)
    ana = await visit()
    await ana.open(link)
    await ana.page.reload()
    await ana.until_terminal("hello from here")
    tab = await ana.page.context.new_page()
    await tab.goto(link.url)
    again = tab.locator("#enter-again")
    await again.wait_for()
    assert await again.inner_text() == "Go on as Ana"
    await again.click()
    await tab.locator(".xterm-rows", has_text="hello from here").wait_for()
    assert tab.url == f"{link.base}/s/{link.share}"
    assert [(person.name, person.online) for person in (await world.facts()).people] == [("Ana", 2)]


async def test_a_link_that_is_wrong_is_explained(world: World, visit: Visit) -> None:
    _, link = await shared(world)
    ana = await visit()
    await ana.page.goto(f"{link.base}/s/{link.share}")
    await ana.sees("h1", "not complete")
    for path in (f"/s/{link.share}#wrong", "/s/0000000000000000#x"):
        await ana.page.goto("about:blank")
        await ana.page.goto(link.base + path)
        await ana.page.click("#enter-name button.main")
        await ana.sees(".problem", "nothing here")
        assert await ana.page.locator("#session").is_hidden()


async def test_a_link_that_is_used_up_or_over_says_which(world: World, visit: Visit) -> None:
    session, _ = await shared(world)
    once = await world.invite(session, "observer", max_uses=1)
    await world.join(once)
    short = await world.invite(session, "observer", expires=0.2)
    await world.until_expired()
    ana = await visit()
    for link, sentence in ((once, "used as often as it may be"), (short, "The time is over")):
        await ana.page.goto("about:blank")
        await ana.page.goto(link.url)
        await ana.page.click("#enter-name button.main")
        await ana.sees(".problem", sentence)


async def test_a_typed_code_shows_the_words_that_its_owner_sees_until_they_let_the_guest_in(
    world: World, visit: Visit
) -> None:
    session, link = await shared(world)
    code = (await world.client.ask(s.Invite(session=session, role="commenter", code=True), s.Shared)).code
    ana = await visit()
    await ana.page.goto(f"{link.base}/join")
    await ana.page.fill("#code", "0000-0000")
    await ana.page.fill("#name-2", "Ana")
    await ana.page.click("#enter-code button.main")
    await ana.sees(".problem", "nothing here")
    await ana.page.fill("#code", code.lower())
    await ana.page.click("#enter-code button.main")
    await ana.page.wait_for_selector("#words:not(:empty)")
    guest = next(each for each in (await world.facts()).people if each.pending)
    assert (await ana.page.inner_text("#words")).split() == guest.words.replace("-", " ").split()
    await ana.page.reload()  # who waits may do that
    await ana.page.wait_for_selector("#words:not(:empty)")
    await world.client.ask(s.Admit(session=session, participant=guest.id), m.Done)
    await ana.until_terminal("hello from here")
    await ana.sees("#role-name", "commenter")


async def test_a_guest_whom_the_owner_declines_is_told_so(world: World, visit: Visit) -> None:
    session, link = await shared(world)
    code = (await world.client.ask(s.Invite(session=session, code=True), s.Shared)).code
    ana = await visit()
    await ana.page.goto(f"{link.base}/join")
    await ana.page.fill("#code", code)
    await ana.page.click("#enter-code button.main")
    await ana.page.wait_for_selector("#words:not(:empty)")
    guest = next(each for each in (await world.facts()).people if each.pending)
    await world.client.ask(s.Admit(session=session, participant=guest.id, on=False), m.Done)
    await ana.sees("h1", "You were not let in")


async def unshare(world: World, session: str) -> None:
    await world.client.ask(s.Unshare(session=session), m.Done)


async def kick(world: World, session: str) -> None:
    await world.client.ask(s.Kick(session=session, participant="Ana"), m.Done)


async def revoke(world: World, session: str) -> None:
    await world.client.ask(s.Revoke(session=session), m.Done)


async def panic(world: World, session: str) -> None:
    await world.client.ask(s.Panic(), m.Done)


async def expire(world: World, session: str) -> None:
    (room,) = world.hub.sharing.shares.rooms.values()
    room.room.facts = msgspec.structs.replace(room.room.facts, expires_at=1.0)


ENDS = [
    (unshare, "The share has ended"), (kick, "Your access was withdrawn"), (revoke, "Your access was withdrawn"),
    (expire, "The time is over"), (panic, "The share has ended"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "sentence"), ENDS)
async def test_the_end_is_told_shows_nothing_any_more_and_is_for_good(
    world: World, visit: Visit, act: object, sentence: str
) -> None:
    session, link = await shared(world)
    ana = await visit()
    sockets: list[str] = []
    ana.page.on("websocket", lambda socket: sockets.append(socket.url))
    await ana.open(link)
    await ana.until_terminal("hello from here")
    await act(world, session)  # type: ignore[operator]
    await ana.sees("h1", sentence)

    async def nothing_is_left() -> bool:
        return "hello" not in await ana.terminal()

    await until(nothing_is_left)
    assert await ana.page.locator("#session").is_hidden()
    await ana.page.evaluate("dispatchEvent(new Event('online'))")  # who waits for a next try does it now
    await ana.page.evaluate("new Promise((next) => requestAnimationFrame(next))")
    assert len(sockets) == 1, "nobody is dialled again"
    assert link.share not in await ana.page.evaluate("Object.keys(localStorage).join()"), "a reload begins anew"
