"""The application around a joined session."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping

from rich.cells import cell_len
from textual.app import App
from textual.driver import Driver
from textual.screen import Screen

from agentdeck.config import Config
from agentdeck.errors import AgentdeckError
from agentdeck.join.door import Pass
from agentdeck.join.farewell import Ending, parted
from agentdeck.join.line import DELAYS, Line
from agentdeck.paths import Paths
from agentdeck.ui import glyphs, theme
from agentdeck.ui.app import RawKeys
from agentdeck.ui.figures import clean
from agentdeck.ui.host_replies import Scheme
from agentdeck.ui.keymap import Keymap
from agentdeck.ui.screens.joined import JoinedScreen

NEWS_EVERY = 0.05
"""Seconds for which news of the room is collected before it is drawn."""


class JoinApp(App[None], inherit_bindings=False):
    ENABLE_COMMAND_PALETTE = False
    TITLE = "agentdeck"

    def __init__(
        self, way: Pass, config: Config, *, palettes: Mapping[str, theme.Palette],
        driver_class: type[Driver] | None = None, delays: tuple[float, ...] = DELAYS,
    ) -> None:  # fmt: skip
        super().__init__(driver_class=driver_class)
        self.ending: Ending | None = None
        """Why it was over; None when the person left."""
        self._palettes, self._config, self._dark = palettes, config, True
        if self.no_color:
            theme.without_colour(self)
        for palette in palettes.values():
            self.register_theme(theme.textual_theme(palette))
        self.keymap = Keymap.from_config(config.keys)
        self.joined = JoinedScreen(self.keymap)
        self.line = Line(
            way, on_room=self._news, on_frame=self.joined.take_frame, on_word=self.joined.say, width=cell_len,
            delays=delays,
        )  # fmt: skip
        self.joined.line = self.line
        self.joined.room = self.line.room
        self._told: Callable[[], None] | None = None
        self._being: asyncio.Task[Ending | None] | None = None
        self.wear()

    def get_default_screen(self) -> Screen[None]:
        return self.joined

    def on_mount(self) -> None:
        if isinstance(self._driver, RawKeys):
            self._driver.colour_scheme = self.wear_scheme
            if self._driver.scheme is not None:
                self.wear_scheme(self._driver.scheme)
        self.run_worker(self._be_there(), exit_on_error=True)
        for problem in self.keymap.problems:
            self.joined.say(problem, "warning")

    async def _be_there(self) -> None:
        self.ending = await self.line.run()
        self.exit()

    async def on_unmount(self) -> None:
        await self.line.leave()

    def _news(self) -> None:
        if self._told is None:
            self._told = self.set_timer(NEWS_EVERY, self._draw).stop

    def _draw(self) -> None:
        self._told = None
        self.joined.take()

    def wear(self) -> None:
        """Put on the palette that settings and terminal ask for."""
        config = self._config
        palette, _ = theme.choose_palette(
            self._palettes, config.theme, dark=self._dark, night=config.theme_dark, day=config.theme_light
        )
        self.theme = palette.name
        self.joined.wear(palette, colour=not self.no_color)

    def wear_scheme(self, scheme: Scheme) -> None:
        """The terminal reported what it looks like."""
        self._dark = scheme == "dark"
        self.wear()


def run_joined(way: Pass, paths: Paths, config: Config) -> str:
    """Be in the session until the person leaves. Returns a sentence; raises `ShareError` when it was over before."""
    from agentdeck.ui.driver import DeckDriver

    glyphs.activate(glyphs.choose(config.glyphs, dict(os.environ)))
    themes = theme.find_themes(paths.config.parent / "themes")
    app = JoinApp(way, config, palettes=themes.palettes, driver_class=DeckDriver)
    began = time.time()
    app.run()
    if app.return_code:
        raise SystemExit(app.return_code)
    if lost := [*app.line.unsent, *([app.joined.text.text] if app.joined.text.value else [])]:
        print("\n".join(["what you wrote and nobody has got:", *(f"  {clean(text)}" for text in lost)]))
    if app.ending is not None:
        raise _farewell(app.ending, app.line.room.session)
    return f"you left {app.line.room.session or 'it'} after {max(1, round((time.time() - began) / 60))} min"


def _farewell(ending: Ending, session: str) -> AgentdeckError:
    error = parted(ending)
    return type(error)(f"{session}: {error}" if session else str(error), hint=error.hint)
