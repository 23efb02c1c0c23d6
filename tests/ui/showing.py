"""A stage for one widget or dialog, and what a person sees of it."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from agentdeck.protocol.messages import ProgramStatus, Session
from agentdeck.ui.theme import load_palettes, textual_theme

NOW = 100_000.0
W = TypeVar("W", bound=Widget)


def session(number: int, name: str, state: str = "idle", *, cwd: str = "/home/ana/shop", **facts: Any) -> Session:
    """A session that entered its state 42 seconds before `NOW`."""
    provider = facts.pop("provider", "claude")
    facts.setdefault("since", NOW - 42)
    return Session(
        id=f"{number:08x}",
        name=name,
        state=state,
        cwd=cwd,
        provider=provider,
        argv=(provider,),
        pid=100 + number,
        **facts,
    )


def asking(number: int, name: str, question: str, **facts: Any) -> Session:
    return session(number, name, "needs_you", status=ProgramStatus("blocked", "permission", question), **facts)


class Stage(App[None]):
    """Shows nothing but what it is given, in a theme of agentdeck."""

    def __init__(self, *widgets: Widget, theme: str = "night") -> None:
        super().__init__()
        self._widgets = widgets
        self.answer: object = "nothing yet"
        self.messages: list[object] = []
        for palette in load_palettes().values():
            self.register_theme(textual_theme(palette))
        self.theme = theme

    def compose(self) -> ComposeResult:
        yield from self._widgets

    def ask(self, dialog: Screen[Any]) -> None:
        self.push_screen(dialog, self._answered)

    def _answered(self, answer: object) -> None:
        self.answer = answer


def seen(widget: Widget) -> list[str]:
    """The lines of a widget's content area as text, without trailing blanks."""
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]


def on_screen(app: App[Any]) -> str:
    """Everything on the terminal, dialogs over what is under them."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips[:height] if width)


def inks(widget: Widget, y: int = 0) -> list[tuple[str, str]]:
    """The runs of a line with their background colour, `#rrggbb`."""
    found: list[tuple[str, str]] = []
    for text, style, _ in widget.render_line(y):
        colour = style.bgcolor.get_truecolor().hex if style and style.bgcolor else ""
        found.append((text, colour))
    return found


async def until(true: Callable[[], object]) -> None:
    """Wait for a condition. The deadline only ends a test that has failed.

    It does not go through the pilot, which waits for widgets that a closing dialog has already taken away.
    """
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - what is waited for is what is drawn
            await asyncio.sleep(0.01)


async def opened(app: Stage, pilot: Pilot[None], dialog: Screen[Any]) -> None:
    """Open a dialog and wait until a person could use it."""
    app.ask(dialog)
    await until(lambda: dialog.is_current and dialog.focused is not None and dialog.query(".box").first().size.height)
    await pilot.pause()
