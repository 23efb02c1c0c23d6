"""For everybody: with a keyboard, with a screen reader, on a phone, in dark and light."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from tests.gateway.conftest import World
from tests.page.conftest import DESKTOP, PHONE, Visit, Visitor, start_recorded, until

pytestmark = pytest.mark.chromium

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


async def faults(visitor: Visitor) -> list[str]:
    """What axe finds; it comes through the developer tools, so that the page's policy stays on."""
    if not await visitor.page.evaluate("'axe' in window"):
        await visitor.page.evaluate(AXE)
    found: dict[str, Any] = await visitor.page.evaluate("axe.run({ resultTypes: ['violations'] })")
    return [
        f"{each['id']}: {each['help']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


async def runs_over(visitor: Visitor) -> bool:
    """Whether the page can be scrolled sideways."""
    script = "document.documentElement.scrollWidth > innerWidth || document.body.scrollWidth > innerWidth"
    return bool(await visitor.page.evaluate(script))


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_axe_finds_nothing_wrong_anywhere_and_nothing_runs_over(
    home: Path, world: World, visit: Visit, size: tuple[int, int]
) -> None:
    session = await start_recorded(world, home)
    watch = await world.share(session)
    code = (await world.client.ask(s.Invite(session=session, code=True), s.Shared)).code
    link = await world.invite(session, "driver", max_uses=4)
    ben = await world.join(link, "Ben with quite a long name for somebody who only has a phone")
    await world.client.ask(s.Say(session=session, text="Long-words-" * 40), m.Done)
    await ben.send("command", "c", text="Please-do-" * 60)
    await ben.answer("c")
    ana = await visit(size)
    found: list[str] = []

    async def look(where: str) -> None:
        for colours in ("dark", "light"):
            await ana.prefer(colours)
            found.extend(f"{where}, {colours}: {each}" for each in await faults(ana))
        if await runs_over(ana):
            found.append(f"{where}: runs over")

    await ana.page.goto(watch.url)
    await ana.page.wait_for_selector("#name-1")
    await look("name")
    await ana.page.goto(f"{link.base}/join")
    await ana.page.fill("#code", code)
    await ana.page.click("#enter-code button.main")
    await ana.page.wait_for_selector("#words:not(:empty)")
    await look("waiting")
    await ana.page.goto("about:blank")
    await ana.open(link)
    await ana.sees("#state", "needs its owner")
    await ana.page.wait_for_selector("#chart svg", state="attached")
    phone = size == PHONE
    await look("terminal")
    if phone:
        await ana.page.click("#regions [data-region=activity]")
        await look("activity")
    await ana.tab("files")
    if phone:
        await look("files")
        await ana.page.click("#regions [data-region=usage]")
        await look("usage")
        await ana.page.click("#regions [data-region=talk]")
        await ana.sees("#chat .word", "Long-words")
        await look("chat")
    await ana.tab("queue")
    await ana.sees("#queue .prompt", "Please-do")
    await look("queue")
    await ana.tab("people")
    await look("people")
    await ana.page.click("[data-opens=help]")
    await look("help")
    await ana.page.keyboard.press("Escape")
    if phone:
        await ana.page.click("#regions [data-region=usage]")
    for button in ("#chart-table", "[data-opens=health-dialog]"):
        await ana.page.click(button)
        await look(button)
        await ana.page.keyboard.press("Escape")
    assert found == []
    assert ana.complaints == []


async def focused(visitor: Visitor) -> str:
    return str(
        await visitor.page.evaluate(
            "(() => { const at = document.activeElement;"
            " return at.id || at.dataset.tab || at.dataset.opens || at.dataset.zoom || at.className })()"
        )
    )


async def test_everything_can_be_reached_and_done_with_the_keyboard(world: World, visit: Visit) -> None:
    session = await world.start("/bin/sh", "-c", "sleep 1000")
    await world.share(session)
    link = await world.invite(session, "driver")
    ana = await visit()
    await ana.page.goto(link.url)
    await ana.page.wait_for_selector("#name-1:focus")
    await ana.page.keyboard.press("Enter")
    await ana.page.wait_for_selector("#session:not([hidden])")
    keyboard = ana.page.keyboard
    reached = []
    for _ in range(15):
        await keyboard.press("Tab")
        reached.append(await focused(ana))
    assert reached == [
        "faces-button", "role-dialog", "theme", "help", "-1", "0", "1", "screen-view",
        "health-dialog", "tab-activity", "feed", "tab-chat", "chat", "chat-text", "main",
    ]  # fmt: skip
    ring = await ana.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"
    await ana.page.evaluate("document.activeElement.blur()")
    for key, where in (("a", "tab-activity"), ("f", "tab-files"), ("p", "tab-people"), ("t", "screen-view")):
        await keyboard.press(key)
        assert await focused(ana) == where
    await keyboard.press("f")
    await keyboard.press("ArrowLeft")
    assert await focused(ana) == "tab-activity"
    assert await ana.page.locator("#panel-activity").is_visible()
    await keyboard.press("q")
    assert await focused(ana) == "prompt-text"
    await keyboard.type("pad?")  # no shortcut works where one writes
    assert await ana.page.input_value("#prompt-text") == "pad?"
    await ana.page.evaluate("document.activeElement.blur()")
    await keyboard.press("?")
    assert await ana.page.locator("#help").is_visible()
    await ana.page.uncheck("#shortcuts-on")
    await keyboard.press("Escape")
    await keyboard.press("f")
    assert await ana.page.locator("#panel-files").is_hidden()


async def holds(visitor: Visitor, condition: str) -> bool:
    return bool(await visitor.page.evaluate(condition))


async def test_who_listens_hears_sentences_and_no_flood(world: World, visit: Visit) -> None:
    session = await world.start("/bin/sh", "-c", "while read x; do echo [$x]; done")
    await world.share(session)
    link = await world.invite(session, "commenter")
    ana = await visit()
    await ana.page.add_init_script(
        "addEventListener('DOMContentLoaded', () => { window.said = []; new MutationObserver(() => "
        "window.said.push(document.querySelector('#announcer').textContent))"
        ".observe(document.querySelector('#announcer'), { childList: true, characterData: true, subtree: true }) })"
    )
    await ana.open(link)
    live = await ana.page.evaluate(
        "[...document.querySelectorAll('[aria-live], [role=log], [role=status], [role=alert]')].map((each) => each.id)"
    )
    assert "feed" not in live
    assert await ana.page.locator("[aria-live] .xterm, .xterm [aria-live]").count() == 0
    await ana.sees("#chat", "Ana joined")
    assert await ana.page.evaluate("window.said") == []  # what was there before is no news
    await world.client.ask(s.SetRole(session=session, participant="Ana", role="driver"), m.Done)
    await until(lambda: holds(ana, "window.said.some((text) => text.includes('You are driver now'))"))
    for n in range(30):
        world.client.post(m.Input(session=session, data=f"{n}\r".encode()))
    await ana.until_terminal("[29]")
    assert len(await ana.page.evaluate("window.said")) <= 4, json.dumps(await ana.page.evaluate("window.said"))
    await until(lambda: holds(ana, "document.querySelector('.screen-text').textContent.includes('[29]')"))


async def test_colours_follow_the_system_until_somebody_chooses(world: World, visit: Visit) -> None:
    link = await world.share(await world.start("/bin/sh", "-c", "echo hi; sleep 1000"))
    ana = await visit(colours="light")

    async def ground() -> str:
        return str(await ana.page.evaluate("getComputedStyle(document.body).backgroundColor"))

    await ana.open(link)
    assert await ground() == "rgb(250, 248, 243)"
    await ana.prefer("dark")
    assert await ground() == "rgb(17, 19, 26)"
    await ana.page.click("#theme")
    await ana.page.click("#theme")
    assert await ground() == "rgb(250, 248, 243)"
    await ana.page.reload()
    await ana.page.wait_for_selector("#session:not([hidden])")
    assert await ground() == "rgb(250, 248, 243)"
    moving = "[...document.getAnimations()].filter((each) => each.playState === 'running').length"
    assert await ana.page.evaluate(moving) == 0
