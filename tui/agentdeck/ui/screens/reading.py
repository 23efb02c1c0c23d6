"""A dialog to read in: a reader as large as the terminal allows, the keys that scroll it, `c` to copy."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from agentdeck.ui.screens.dialog import Dialog
from agentdeck.ui.widgets.lines import Line
from agentdeck.ui.widgets.reader import Reader


class ReadingDialog(Dialog[None]):
    DEFAULT_CSS = """
    ReadingDialog > .box { width: 100%; max-width: 140; height: 100%; }
    ReadingDialog Reader { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "by(1)", show=False, priority=True),
        Binding("up,k", "by(-1)", show=False, priority=True),
        Binding("pagedown,space,ctrl+f", "page(1)", show=False, priority=True),
        Binding("pageup,ctrl+b", "page(-1)", show=False, priority=True),
        Binding("home,g", "by(-1000000000)", show=False, priority=True),
        Binding("end,G", "by(1000000000)", show=False, priority=True),
        Binding("c", "copy", show=False, priority=True),
        Binding("q,enter", "cancel", show=False, priority=True),
    ]

    keys = "up down scroll  c copy  esc close"

    def __init__(self) -> None:
        super().__init__()
        self.reader = Reader(self.lines)

    def lines(self, width: int) -> Sequence[Line]:
        """What is read, for a width."""
        raise NotImplementedError

    @property
    def text(self) -> str:
        """What a copy gets."""
        raise NotImplementedError

    def parts(self) -> Iterable[Widget]:
        yield self.reader

    def on_reader_moved(self, message: Reader.Moved) -> None:
        message.stop()
        self._say(f"{message.place}  {self.keys}" if message.place else self.keys)

    def _say(self, text: str) -> None:
        self.query_one(".box").border_subtitle = text

    def action_by(self, lines: int) -> None:
        self.reader.scroll_lines(lines)

    def action_page(self, by: int) -> None:
        self.reader.scroll_lines(by * max(1, self.reader.size.height - 1))

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.text)
        self._say("copied")
