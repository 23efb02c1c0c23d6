"""The application: wires terminal, hub and deck together, and knows nothing else."""

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any, ClassVar, Final, Protocol, runtime_checkable

from rich.console import RenderableType
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.binding import BindingType
from textual.driver import Driver
from textual.geometry import Offset
from textual.screen import Screen

from agentdeck.config import Config
from agentdeck.errors import AgentdeckError
from agentdeck.hub.client import HubClient
from agentdeck.paths import Paths
from agentdeck.protocol import messages as m
from agentdeck.protocol.screen import Cursor, Modes
from agentdeck.ui import glyphs, notify, theme
from agentdeck.ui.bridge import Bridge, Connect
from agentdeck.ui.host_replies import Scheme
from agentdeck.ui.keymap import Keymap
from agentdeck.ui.screens.deck import DeckScreen
from agentdeck.ui.typing_stream import Chords

_SHAPES: Final = {"block": 2, "underline": 4, "bar": 6}
"""DECSCUSR numbers of the steady shapes; one less blinks."""
_SAVE_TITLE: Final = "\x1b[22;2t"
_RESTORE_TITLE: Final = "\x1b[23;2t"
ANY_MOTION: Final = 1003
"""The mouse mode in which a program hears of every motion."""


@runtime_checkable
class RawKeys(Protocol):
    """A driver that can hand keys over as the bytes that they are: `ui/driver.py`, which says what each is for."""

    raw: Callable[[bytes], None]
    chord: Callable[[str], None]
    unbound: Callable[[], None]
    paste: Callable[[bytes], None]
    colour_scheme: Callable[[Scheme], None]
    scheme: Scheme | None

    @property
    def backlog(self) -> int: ...
    def bind(self, chords: Chords) -> None: ...
    def typing(
        self, on: bool, kitty_flags: int = 0, *, application_cursor: bool = False, any_motion: bool = False
    ) -> None: ...


class DeckApp(App[str], inherit_bindings=False):
    """Its result is what to do next: empty, or `demo`."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []
    TITLE = "agentdeck"

    def __init__(
        self,
        connect: Connect,
        config: Config,
        *,
        palettes: Mapping[str, theme.Palette],
        env: Mapping[str, str],
        attach: str | None = None,
        attach_pid: int | None = None,
        at: tuple[str, int] | None = None,
        driver_class: type[Driver] | None = None,
    ) -> None:
        super().__init__(driver_class=driver_class)
        self.failure: AgentdeckError | None = None
        """Why the deck could not begin."""
        self._palettes = palettes
        self._config = config
        self._begin_with = attach
        self._watch_pid = attach_pid
        self._read_at = at
        self._dark = True
        self._cursor: tuple[Offset, Cursor] | None = None
        self._cursor_shape = ""
        self._terminal_title = ""
        self._progress = 0
        if self.no_color:
            theme.without_colour(self)
        for palette in palettes.values():
            self.register_theme(theme.textual_theme(palette))
        keymap = Keymap.from_config(config.keys)
        self.bridge = Bridge(connect, on_push=self._take, say=self._say)
        self.deck = DeckScreen(self, self.bridge, config, keymap)
        self.deck.env = env
        self._keymap_problems = keymap.problems
        self.wear()

    def get_default_screen(self) -> Screen[Any]:
        return self.deck

    # ── the hub ────────────────────────────────────────────────────────────────────────────────

    async def on_mount(self) -> None:
        self._listen_to_terminal()
        try:
            await self.bridge.open()
            if self._begin_with is not None:
                self.deck.choose((await self.bridge.resolve(self._begin_with)).id)
            if self._watch_pid is not None:
                await self.deck.attach_first(self._watch_pid)
        except AgentdeckError as error:
            self.failure = error
            self.exit()
            return
        for problem in self._keymap_problems:
            self.deck.say(str(problem), "warning")
        if self._begin_with is not None:
            self.deck.type_into()
        elif self._read_at is not None:
            session, turn = self._read_at
            self.call_after_refresh(lambda: self.run_worker(self._open_at(session, turn)))
        elif self._watch_pid is None and not self.deck.deck.sessions:
            self.run_worker(self.deck.first_contact())

    async def _open_at(self, session: str, turn: int) -> None:
        try:
            await self.deck.open_at(session, turn)
        except AgentdeckError as error:
            self.failure = error
            self.exit()

    async def on_unmount(self) -> None:
        self.show_progress(0)
        self._write(_RESTORE_TITLE)
        await self.bridge.close()

    def on_app_focus(self) -> None:
        self.deck.terminal_focused(True)

    def on_app_blur(self) -> None:
        self.deck.terminal_focused(False)

    def _take(self, push: m.AnyReply) -> None:
        self.deck.take(push)

    def _say(self, text: str, level: str) -> None:
        self.deck.say(text, level)

    # ── what the deck asks of it ───────────────────────────────────────────────────────────────

    def leave(self, then: str = "") -> None:
        self.call_later(self.exit, then)  # after the dialog that was answered has gone: Textual cannot do both at once

    def ring(self) -> None:
        self.bell()

    def name_terminal(self, title: str) -> None:
        if title != self._terminal_title:
            self._terminal_title = title
            self._write(f"\x1b]2;{title}\x07")

    def show_progress(self, progress: int) -> None:
        if progress != self._progress:
            self._progress = progress
            self._write(notify.progress(progress))

    def send(self, sequence: str) -> None:
        if sequence:
            self._write(sequence)

    @property
    def backlog(self) -> int:
        return self._driver.backlog if isinstance(self._driver, RawKeys) else 0

    def take_keys(self, modes: Modes | None) -> None:
        if not isinstance(self._driver, RawKeys):
            return
        if modes is None:
            self._driver.typing(False)
        else:
            self._driver.typing(
                True,
                modes.kitty_flags,
                application_cursor=modes.application_cursor,
                any_motion=modes.mouse == ANY_MOTION,
            )

    def place_cursor(self, cursor: tuple[Offset, Cursor] | None) -> None:
        """Show the terminal's own cursor there, or hide it."""
        if cursor == self._cursor:
            return
        was, self._cursor = self._cursor, cursor
        if cursor is None:
            self._write("\x1b[?25l")
            return
        self.cursor_position = cursor[0]
        self._write(self._cursor_sequence() + ("" if was is not None else "\x1b[?25h"))

    def _cursor_sequence(self) -> str:
        if self._cursor is None:
            return ""
        (x, y), look = self._cursor
        shape = f"\x1b[{_SHAPES.get(look.shape, 2) - look.blinking} q"
        changed, self._cursor_shape = shape != self._cursor_shape, shape
        return f"\x1b[{y + 1};{x + 1}H{shape if changed else ''}"

    def _write(self, text: str) -> None:
        """Goes out with the next update, or when the loop is idle, whichever is first."""
        if self._driver is not None and not self.is_headless and self._running:
            self._driver.write(text)

    # ── colours ────────────────────────────────────────────────────────────────────────────────

    def wear(self) -> None:
        """Put on the palette that settings and terminal ask for."""
        config = self._config
        palette, problem = theme.choose_palette(
            self._palettes, config.theme, dark=self._dark, night=config.theme_dark, day=config.theme_light
        )
        self.theme = palette.name
        self.deck.wear(palette, colour=not self.no_color)
        if problem:
            self.call_later(self.deck.say, problem, "warning")

    def wear_scheme(self, scheme: Scheme) -> None:
        """The terminal reported what it looks like."""
        if (scheme == "dark") != self._dark:
            self._dark = scheme == "dark"
            self.wear()

    # ── the terminal ───────────────────────────────────────────────────────────────────────────

    def _listen_to_terminal(self) -> None:
        self._write(_SAVE_TITLE)
        if isinstance(self._driver, RawKeys):
            driver = self._driver
            driver.bind(self.deck.keymap.chords)
            driver.raw = self.deck.raw
            driver.chord = self.deck.run_deed
            driver.unbound = self.deck.footer.flash
            driver.paste = lambda data: self.deck.paste(data.decode("utf-8", "replace"))
            driver.colour_scheme = self.wear_scheme
            if driver.scheme is not None:
                self.wear_scheme(driver.scheme)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """One write for each update, with the cursor hidden on its way and put back in its place."""
        driver = self._driver
        if (
            not isinstance(renderable, CompositorUpdate)
            or driver is None
            or self.is_headless
            or self._batch_count
            or not self._running
            or self._closed
        ):
            super()._display(screen, renderable)
            return
        shown = self._cursor is not None
        parts = (
            "\x1b[?2026h" if self._sync_available else "",
            "\x1b[?25l" if shown else "",
            renderable.render_segments(self.console),
            self._cursor_sequence() + "\x1b[?25h" if shown else "",
            "\x1b[?2026l" if self._sync_available else "",
        )
        driver.write("".join(parts))
        driver.flush()
        self.post_display_hook()


def run_deck(
    paths: Paths,
    config: Config,
    *,
    attach: str | None = None,
    attach_pid: int | None = None,
    at: tuple[str, int] | None = None,
    daemon: bool = True,
) -> str:
    """Run the deck until the person leaves it. Returns what to do next: nothing (empty), or `demo`.

    `attach` is a session to begin with, in TYPING mode; `attach_pid` an agent elsewhere to watch; `at` a
    conversation to read and the message to begin with. Without `daemon` the hub runs inside this process. Raises
    `AgentdeckError` when the deck cannot begin, `SystemExit` with 128 + the signal that ended it, or 1 after a bug.
    """
    begin = {"attach": attach, "attach_pid": attach_pid, "at": at}
    then, status = asyncio.run(_run(paths, config, begin, daemon))
    if status:
        raise SystemExit(status)
    return then


async def _run(paths: Paths, config: Config, begin: Mapping[str, Any], daemon: bool) -> tuple[str, int]:
    from agentdeck.ui.driver import DeckDriver

    env = dict(os.environ)  # before Textual takes NO_COLOR out of it
    glyphs.activate(glyphs.choose(config.glyphs, env))
    themes = theme.find_themes(paths.config.parent / "themes")
    async with AsyncExitStack() as stack:
        if daemon:

            async def connect(start: bool) -> HubClient:
                return await HubClient.connect(paths, kind="deck", start=start)
        else:
            from agentdeck.hub.main import inside

            hub = await stack.enter_async_context(inside(paths, config))

            async def connect(start: bool) -> HubClient:
                return await HubClient.over(await hub.connect(), kind="deck")

        app = DeckApp(
            connect,
            config,
            palettes=themes.palettes,
            env=env,
            driver_class=DeckDriver,
            **begin,
        )
        for problem in themes.problems:
            app.call_later(app.deck.say, str(problem), "warning")
        result = await app.run_async()
    if app.failure is not None:
        raise app.failure
    return result or "", app.return_code or 0
