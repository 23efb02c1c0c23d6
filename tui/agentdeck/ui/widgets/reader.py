"""Long text to read and scroll: made of lines once for each width, drawn a window at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from textual import events
from textual.message import Message

from agentdeck.ui.figures import clean
from agentdeck.ui.widgets.lines import Line, Lines, Piece

WHEEL: Final = 3
Make = Callable[[int], Sequence[Line]]
"""Width → the lines."""


def wrapped(text: str, width: int, ink: str = "") -> list[Line]:
    """Break text into lines of at most `width` cells, where it is too long in the middle of a word: as a terminal."""
    lines: list[Line] = []
    width = max(2, width)
    for paragraph in text.expandtabs(4).splitlines() or [""]:
        rest = clean(paragraph)
        while len(rest) > width or cell_len(rest) > width:
            end = min(width, len(rest))
            while end > 1 and cell_len(rest[:end]) > width:
                end -= 1
            lines.append(Line((Piece(rest[:end], ink),)))
            rest = rest[end:]
        lines.append(Line((Piece(rest, ink),)) if rest else Line())
    return lines


class Reader(Lines):
    DEFAULT_CSS = "Reader { height: 1fr; }"

    @dataclass
    class Moved(Message):
        """The view is elsewhere, or there is more or less to read: `place` says where, if not all is in view."""

        place: str

    def __init__(self, make: Make, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._make = make
        self._place = ""
        self._made: tuple[int, Sequence[Line]] = (-1, ())
        self.top = 0

    def show(self, make: Make) -> None:
        """Read something else, from where this was."""
        self._make, self._made = make, (-1, ())
        self.redraw()

    def lay_out(self, width: int, height: int) -> list[Line]:
        if self._made[0] != width:
            self._made = width, self._make(width)
        self.top = max(0, min(self.top, self.last))
        if self.place != self._place:
            self._place = self.place
            self.post_message(self.Moved(self._place))
        return list(self._made[1][self.top : self.top + height])

    @property
    def last(self) -> int:
        """The top line of the last page."""
        return max(0, len(self._made[1]) - self.size.height)

    @property
    def place(self) -> str:
        """Which lines are in view, `1-20 of 80`; empty when all are."""
        lines = len(self._made[1])
        return f"{self.top + 1}-{min(lines, self.top + self.size.height)} of {lines}" if self.last else ""

    def scroll_lines(self, by: int) -> None:
        self.top = max(0, min(self.top + by, self.last))
        self.redraw()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_lines(-WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_lines(WHEEL)
