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
from typing import Any

import msgspec
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

AGE = 19 * 60.0
"""Seconds for which the session seems to run: as long as its recording, made slower."""

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
    await world.client.ask(
        s.Say(session=session, text="It is about to run the new test. Have a look at the edit."), m.Done
    )
    await ben.send("chat", "1", text="default=None reads well. What does planting do with an empty orchard?")
    await mia.send("chat", "2", text="It skips it since last week, I checked.")
    await ben.send("command", "3", text="Then also cover an orchard with a single tree, please")
    await mia.send("command", "4", text="Add a line to the changelog")
    await mia.answer("4")
    return driver, ben


async def window(browser: Browser, size: tuple[int, int], **more: Any) -> Page:
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark", reduced_motion="reduce",
        device_scale_factor=1.5, has_touch=size == PHONE, **more,
    )  # fmt: skip
    return await context.new_page()


async def shoot(page: Page, name: str, colours: str) -> None:
    await prefer(page, colours)
    await page.wait_for_timeout(900)
    await page.screenshot(path=OUT / f"share-{name}-{colours}.png")
    print(f"share-{name}-{colours}.png")


async def ready(page: Page) -> None:
    await page.locator("#state", has_text="needs its owner").wait_for()
    await page.wait_for_selector("#chart svg", state="attached")
    await page.evaluate("document.activeElement.blur()")


async def draw(world: World, browser: Browser) -> None:
    session = await start_recorded(world, world.paths.state.parent, change=stretched)
    running = world.hub.roster.sessions[session]
    running.info = msgspec.structs.replace(running.info, started=running.info.started - AGE)
    await world.share(session)
    link, ben = await people(world, session)
    desktop = await window(browser, DESKTOP)
    await desktop.goto(link.url)
    await desktop.fill("#name-1", "ana")
    await desktop.click("#enter-name button.main")
    await ready(desktop)
    await ben.send("typing", on=True)
    await shoot(desktop, "desktop", "dark")
    phone = await window(browser, PHONE, storage_state=await desktop.context.storage_state())  # the same person
    await phone.goto(f"{link.base}/s/{link.share}")
    await ready(phone)
    await shoot(phone, "phone", "dark")
    for region, colours in (("talk", "dark"), ("usage", "light")):
        await phone.click(f"#regions [data-region={region}]")
        await ben.send("typing", on=True)
        await shoot(phone, f"phone-{region}", colours)
    await desktop.click("[data-tab=queue]")
    await desktop.click("[data-tab=files]")
    await desktop.evaluate("document.activeElement.blur()")
    await shoot(desktop, "queue", "light")


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
