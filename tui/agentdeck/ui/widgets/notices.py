"""One sentence at a time, over the screen and above the footer: it never moves or resizes what is under it."""

from collections import deque
from typing import Final

from textual import events
from textual.timer import Timer

from agentdeck.ui.figures import clean
from agentdeck.ui.widgets.lines import Line, Lines, Piece, clip

SECONDS: Final = {"info": 4.0, "warning": 7.0, "error": 12.0}
WAITING = 8
"""Sentences kept for later; the oldest go when more come, since the newest says most about now."""


class Notices(Lines):
    """A click or the next sentence takes it away earlier than its time."""

    DEFAULT_CSS = """
    Notices {
        layer: _toastrack;
        dock: bottom;
        margin: 0 0 1 0;
        height: 1;
        background: $primary-muted;
        display: none;
        &.-shown { display: block; }
        &:nocolor { text-style: reverse; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._text, self._level = "", "info"
        self._waiting: deque[tuple[str, str]] = deque(maxlen=WAITING)
        self._timer: Timer | None = None

    def show(self, text: str, level: str = "info") -> None:
        """`level` is info, warning or error. A sentence that is already there is not repeated."""
        notice = (text, level)
        if notice == (self._text, self._level) or notice in self._waiting:
            return
        self._waiting.append(notice)
        if not self._text:
            self.dismiss()

    def show_at_once(self, text: str, level: str = "info") -> None:
        """Show a sentence before all others, which are dropped."""
        self._waiting.clear()
        self._waiting.append((text, level))
        self.dismiss()

    def dismiss(self) -> None:
        """Take the sentence away and show the next, if there is one."""
        if self._timer:
            self._timer.stop()
            self._timer = None
        self._text, self._level = self._waiting.popleft() if self._waiting else ("", "info")
        self.set_class(bool(self._text), "-shown")
        if self._text:
            self._timer = self.set_timer(SECONDS.get(self._level, SECONDS["info"]), self.dismiss)
        self.redraw()

    def lay_out(self, width: int, height: int) -> list[Line]:
        ink = {"warning": "needs-you", "error": "error"}.get(self._level, "")
        sign = {"warning": "!", "error": self.glyphs.state("error")}.get(self._level, self.glyphs.group)
        more = f"  (+{len(self._waiting)})" if self._waiting else ""
        return [Line(clip((Piece(f" {sign} ", ink), Piece(clean(self._text)), Piece(more, "muted")), width))]

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.dismiss()
