"""What the deck stands on: the application and its terminal, and a layout that puts widgets where a plan says."""

from collections.abc import Callable, Mapping
from typing import Protocol

from textual.geometry import Offset, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from agentdeck.protocol.screen import Cursor, Modes
from agentdeck.ui.layout import Rect


class Desk(Protocol):
    """What the deck needs of the application and its terminal."""

    def place_cursor(self, cursor: "tuple[Offset, Cursor] | None") -> None: ...
    def take_keys(self, modes: Modes | None) -> None:
        """Hand keys over raw, in the modes of the program that gets them; None: decoded, for the deck."""

    @property
    def backlog(self) -> int:
        """Bytes that the terminal has not taken yet."""

    def name_terminal(self, title: str) -> None: ...
    def show_progress(self, progress: int) -> None:
        """Show an OSC 9;4 state on the terminal's tab or icon."""

    def send(self, sequence: str) -> None:
        """Send the terminal something that draws nothing."""

    def copy_to_clipboard(self, text: str) -> None: ...
    def ring(self) -> None: ...
    def leave(self, then: str = "") -> None:
        """End the deck; `then` is what to do after it (`demo`)."""


class PlannedLayout(Layout):
    name = "planned"

    def __init__(self, places: Callable[[Size], Mapping[Widget, Rect]]) -> None:
        self._places = places

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        found = self._places(size)
        return [
            WidgetPlacement(
                Region(rect.x, rect.y, rect.width, rect.height), Offset(), child.styles.margin, child, 0, False, False
            )
            for child in children
            if (rect := found.get(child)) is not None
        ]
