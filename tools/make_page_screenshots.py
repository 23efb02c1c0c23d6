"""Draw screenshots/share-*.png: the page of a shared session in Chromium, at a real gateway, with a recorded session.

    uv run python tools/make_page_screenshots.py

Needs Debian's chromium; nicer with fonts-inter, fonts-jetbrains-mono and fonts-symbola.
"""

import asyncio
import contextlib
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from agentdeck.config import Config  # noqa: E402
from agentdeck.hub.client import HubClient  # noqa: E402
from agentdeck.hub.hub import Hub  # noqa: E402
from agentdeck.paths import Paths  # noqa: E402
from agentdeck.protocol import messages as m  # noqa: E402
from agentdeck.protocol import share as s  # noqa: E402
from tests.gateway.conftest import Guest, Link, World  # noqa: E402
from tests.page.conftest import DESKTOP, PHONE, chromium, prefer, running, start_recorded  # noqa: E402

OUT = ROOT / "screenshots"
SLOWER = 34
"""The recording took a minute; a session that is worth sharing has gone on for longer."""

MOMENT = re.compile(rb'"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})Z"')


def stretched(data: bytes) -> bytes:
    newest = max(datetime.fromisoformat(found.decode()).replace(tzinfo=UTC) for found in MOMENT.findall(data))

    def earlier(found: "re.Match[bytes]") -> bytes:
        then = datetime.fromisoformat(found[1].decode()).replace(tzinfo=UTC)
        return f'"{(newest - (newest - then) * SLOWER).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]}Z"'.encode()

    return MOMENT.sub(earlier, data)


@asynccontextmanager
async def stage() -> AsyncIterator[World]:
    with tempfile.TemporaryDirectory(prefix="ad-", dir="/tmp", ignore_cleanup_errors=True) as root:
        base = Path(root)
        for name in ("CLAUDE_CONFIG_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
            os.environ.pop(name, None)
        os.environ["HOME"] = root
        paths = Paths(state=base / "s", run=base / "s" / "run", config=base / "c" / "config.toml", cache=base / "k")
        place = base / "orchard"
        place.mkdir()
        async with Hub(paths, Config()) as hub:
            client = await HubClient.over(await hub.connect(), kind="screenshots")
            world = World(hub, client, paths, place)
            try:
                yield world
            finally:
                await world.close()
                await client.ask(s.Unshare(session=""), m.Done)
                for session in tuple(hub.roster.running):
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(hub.roster.stop(session, 0.2), 10)
                await client.close()


async def people(world: World, session: str) -> tuple[Link, Guest]:
    """Fill the room; return a link for one more, and one of those who talk."""
    driver = await world.invite(session, "driver", max_uses=8)
    ben, mia = await world.join(driver, "ben"), await world.join(driver, "mia")
    await world.join(await world.invite(session, "observer"), "Sam")
    await world.client.ask(
        s.Say(session=session, text="It is about to run the new test. Have a look at the edit."), m.Done
    )
    await ben.send("chat", "1", text="default=None reads well. What does planting do with an empty orchard?")
    await mia.send("chat", "2", text="It skips it since last week, I checked.")
    await ben.send("command", "3", text="Then also cover an orchard with a single tree, please")
    await mia.send("command", "4", text="Add a line to the changelog")
    await mia.answer("4")
    return driver, ben


async def visit(browser: Browser, link: Link, size: tuple[int, int], name: str) -> Page:
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark", reduced_motion="reduce",
        device_scale_factor=1.5, has_touch=size == PHONE,
    )  # type: ignore[arg-type]  # fmt: skip
    page = await context.new_page()
    await page.goto(link.url)
    await page.fill("#name-1", name)
    return page


async def shoot(page: Page, name: str) -> None:
    await page.wait_for_timeout(900)
    await page.screenshot(path=OUT / f"share-{name}.png")
    print(f"share-{name}.png")


async def both(page: Page, name: str) -> None:
    for colours in ("dark", "light"):
        await prefer(page, colours)
        await shoot(page, f"{name}-{colours}")


async def enter(page: Page) -> None:
    await page.click("#enter-name button.main")
    await page.locator("#state", has_text="needs its owner").wait_for()
    await page.evaluate("document.activeElement.blur()")


async def draw(world: World, browser: Browser) -> None:
    session = await start_recorded(world, world.paths.state.parent, change=stretched)
    await world.share(session)
    link, ben = await people(world, session)
    desktop = await visit(browser, link, DESKTOP, "ana")
    await shoot(desktop, "name-dark")
    await enter(desktop)
    await ben.send("typing", on=True)
    await both(desktop, "desktop")
    phone = await visit(browser, link, PHONE, "Jo")
    await enter(phone)
    await both(phone, "phone")
    for region in ("activity", "talk", "usage"):
        await phone.click(f"#regions [data-region={region}]")
        await ben.send("typing", on=True)
        await both(phone, f"phone-{region}")
    await desktop.click("[data-tab=queue]")
    await desktop.click("[data-tab=files]")
    await desktop.evaluate("document.activeElement.blur()")
    await both(desktop, "queue")
    code = (await world.client.ask(s.Invite(session=session, code=True), s.Shared)).code
    await phone.goto(f"{link.base}/join")
    await phone.fill("#code", code)
    await phone.click("#enter-code button.main")
    await phone.wait_for_selector("#words:not(:empty)")
    await shoot(phone, "waiting-phone-light")
    await world.client.ask(s.Unshare(session=session), m.Done)
    await desktop.locator("h1", has_text="The share has ended").wait_for()
    await shoot(desktop, "ended-light")


async def main() -> None:
    OUT.mkdir(exist_ok=True)
    program = chromium()
    assert program is not None, "needs chromium"
    with running(program) as address:
        async with async_playwright() as playwright, stage() as world:
            browser = await playwright.chromium.connect_over_cdp(address)
            await draw(world, browser)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
