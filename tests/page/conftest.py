"""A real Chromium at the real gateway of a real hub."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from agentdeck.hub import worker
from agentdeck.hub.client import HubClient
from agentdeck.paths import Paths
from agentdeck.protocol import messages as m
from tests.fakes import recorded
from tests.gateway.conftest import Link, World, paths, shared_world
from tests.hub.conftest import running as running_hub
from tests.hub.conftest import until

__all__ = ["paths", "until"]

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all tests in a browser, so that one Chromium with one driver serves them."""
    for item in items:
        if item.path.is_relative_to(HERE) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


PLAYER = Path(__file__).with_name("player.py")
DESKTOP, PHONE = (1280, 800), (390, 844)

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--remote-debugging-port=0", "--host-resolver-rules=MAP evil.test 127.0.0.1", "--force-color-profile=srgb",
    "--font-render-hinting=none", "--disable-extensions", "--disable-default-apps", "--mute-audio",
    "--disable-features=SpareRendererForSitePerProcess,Translate,OptimizationHints,MediaRouter",
)  # fmt: skip


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def running(program: str) -> Iterator[str]:
    """Run Chromium; yields the address of its developer tools."""
    with tempfile.TemporaryDirectory(prefix="ad-chromium-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stderr is not None
        told: list[str] = []
        for line in process.stderr:
            told.append(line)
            if line.startswith("DevTools listening on "):
                break
        else:
            raise RuntimeError(f"Chromium did not start: {''.join(told)[-2000:]}")
        try:
            yield line.removeprefix("DevTools listening on ").strip()
        finally:
            process.terminate()
            process.wait(10)
            process.stderr.close()


@pytest.fixture(scope="session")
def devtools() -> Iterator[str]:
    """One Chromium for all tests; each gets a context of its own."""
    program = chromium()
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing: the page has not been tested")
        pytest.skip("needs Chromium: apt-get install chromium fonts-dejavu-core")
    with running(program) as address:
        yield address


async def prefer(page: Page, colours: str) -> None:
    await page.emulate_media(color_scheme="dark" if colours == "dark" else "light", reduced_motion="reduce")

    async def followed() -> bool:
        look = "[matchMedia('(prefers-color-scheme: dark)').matches, document.documentElement.dataset.theme]"
        return bool(await page.evaluate(look) == [colours == "dark", colours])

    await until(followed)


@dataclass
class Visitor:
    """Somebody with a browser."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    """What the browser's console said of errors and of broken policies."""

    def listen(self) -> None:
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def open(self, link: Link, name: str = "Ana") -> None:
        """Open the link, say a name, and see the session."""
        await self.page.goto(link.url)
        await self.page.fill("#name-1", name)
        await self.page.click("#enter-name button.main")
        await self.page.wait_for_selector("#session:not([hidden])")

    async def prefer(self, colours: str) -> None:
        """Let the system be dark or light, and wait until the page has followed."""
        await prefer(self.page, colours)

    async def tab(self, name: str) -> None:
        await self.page.click(f"[data-tab={name}]")

    async def say(self, text: str) -> None:
        await self.page.fill("#chat-text", text)
        await self.page.press("#chat-text", "Enter")

    async def words(self, selector: str) -> list[str]:
        return [text.strip() for text in await self.page.locator(selector).all_inner_texts()]

    async def sees(self, selector: str, text: str) -> None:
        await self.page.locator(selector).filter(has_text=text).first.wait_for()

    async def terminal(self) -> str:
        """What the terminal really draws."""
        script = "[...document.querySelectorAll('.xterm-rows > div')].map((row) => row.textContent).join('\\n')"
        return str(await self.page.evaluate(script)).replace("\xa0", " ")

    async def until_terminal(self, text: str) -> None:
        async def drawn() -> bool:
            return text in await self.terminal()

        await until(drawn)


Visit = Callable[..., Awaitable[Visitor]]


@pytest_asyncio.fixture(loop_scope="session")
async def world(paths: Paths, tmp_path: Path) -> AsyncIterator[World]:
    async with running_hub(paths) as hub:
        client = await HubClient.over(await hub.connect(), kind="test")
        async with shared_world(hub, client, paths, tmp_path) as world:
            yield world
        await client.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(devtools: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(devtools)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser) -> AsyncIterator[Visit]:
    """Come with a browser of one's own. `size` is that of the window; more is for the context."""
    contexts: list[BrowserContext] = []

    async def come(size: tuple[int, int] = DESKTOP, *, colours: str = "dark", **more: Any) -> Visitor:
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="light" if colours == "light" else "dark",
            reduced_motion="reduce", **more,
        )  # fmt: skip
        context.set_default_timeout(20_000)
        contexts.append(context)
        visitor = Visitor(await context.new_page())
        visitor.listen()
        return visitor

    yield come
    for context in contexts:
        await context.close()


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Of the hub and of the agent that it runs."""
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(worker, "AGAIN_AFTER", (0.05,))
    with tempfile.TemporaryDirectory(prefix="ad-", ignore_cleanup_errors=True) as root:  # short: sockets lie below it
        monkeypatch.setenv("HOME", root)
        yield Path(root)


async def start_recorded(
    world: World, home: Path, *, name: str = "orchard", change: Callable[[bytes], bytes] = lambda data: data
) -> str:
    """A session that shows a recorded screen and has a recorded transcript, as if written just now."""
    transcript = max(recorded.transcripts("claude", "2.1.329-basic"), key=lambda each: len(each.data))
    source = home / "recorded.jsonl"
    source.write_bytes(change(transcript.data))
    env = {"HOME": str(home), "PATH": os.defpath, "LANG": "C.UTF-8", "TERM": "xterm-256color"}
    request = m.Spawn(
        provider="claude", cwd=str(world.place), env=env, cols=120, rows=40, name=name,
        argv=(sys.executable, str(PLAYER), str(source), str(os.getpid())),
    )  # fmt: skip
    return (await world.client.ask(request, m.Done)).session
