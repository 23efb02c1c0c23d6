"""The deck over a fake hub, for tests: run it, press keys, read what is on the screen as text."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from textual.pilot import Pilot
from textual.strip import Strip

from agentdeck.config import Config
from agentdeck.ui.app import DeckApp
from agentdeck.ui.screens.deck import DeckScreen
from agentdeck.ui.theme import load_palettes
from tests.fakes.fake_hub import NOW, FakeHub

GOLDENS = Path(__file__).parent / "goldens"
WAIT = 5.0
"""Seconds after which a test gives up on what should happen."""


@dataclass
class Page:
    app: DeckApp
    pilot: Pilot[str]
    hub: FakeHub

    @property
    def deck(self) -> DeckScreen:
        return self.app.deck

    @property
    def text(self) -> str:
        """The screen as its rows, without the blanks at their ends."""
        strips: list[Strip] = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, claim: Callable[[], object]) -> None:
        """Wait for a claim to become true."""
        for _ in range(int(WAIT / 0.02)):
            if claim():
                return
            await self.pilot.pause(0.02)
        raise AssertionError(f"never came true; the screen was:\n{self.text}")

    async def shows(self, words: str) -> None:
        await self.until(lambda: words in self.text)


def make_app(
    hub: FakeHub,
    config: Config | None = None,
    *,
    attach: str | None = None,
    at: tuple[str, int] | None = None,
    path: str = "/nowhere",
) -> DeckApp:
    env = {"PATH": path, "HOME": "/home/ana", "LANG": "C.UTF-8"}
    return DeckApp(hub.connect, config or Config(), palettes=load_palettes(), env=env, attach=attach, at=at)


@asynccontextmanager
async def open_deck(
    hub: FakeHub,
    size: tuple[int, int] = (120, 40),
    config: Config | None = None,
    *,
    attach: str | None = None,
    at: tuple[str, int] | None = None,
    path: str = "/nowhere",
) -> AsyncIterator[Page]:
    app = make_app(hub, config, attach=attach, at=at, path=path)
    async with app.run_test(size=size) as pilot:
        page = Page(app, pilot, hub)
        await pilot.pause()
        yield page


async def freeze(page: Page) -> None:
    """Stop the clock at a time at which all ages are round."""
    page.deck.now = lambda: NOW
    page.deck.draw()
    await page.pilot.pause()


def check_golden(name: str, text: str) -> None:
    """Compare with the stored screen; AGENTDECK_UPDATE_GOLDENS=1 stores it instead."""
    path = GOLDENS / f"{name}.txt"
    if os.environ.get("AGENTDECK_UPDATE_GOLDENS"):
        path.write_text(text + "\n", encoding="utf-8")
    stored = path.read_text(encoding="utf-8").splitlines()
    differences = "\n".join(unified_diff(stored, text.splitlines(), "stored", "now", lineterm="", n=0))
    assert not differences, differences
