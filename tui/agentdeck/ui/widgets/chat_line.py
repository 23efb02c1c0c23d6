"""A line to write in, with keys of its own around it.

What is pressed is obeyed in its turn: a key that means something comes after the letters before it, however fast they
were, which bindings would not promise. A pasted text keeps its lines.
"""

from collections.abc import Callable
from typing import Final

from textual import events
from textual.widgets import Input

NEWLINE: Final = "↵"
"""What stands in the one line for the end of one."""


class ChatLine(Input):
    def __init__(self, press: Callable[[str], bool]) -> None:
        """`press` is given each key, as Textual names it, and says whether it was one of its own."""
        super().__init__(compact=True, select_on_focus=False)
        self._press = press

    @property
    def text(self) -> str:
        """What was written, with its lines."""
        return self.value.replace(NEWLINE, "\n")

    def _on_key(self, event: events.Key) -> None:  # type: ignore[override]
        if self._press(event.key):
            event.stop()
            event.prevent_default()

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        text = NEWLINE.join(event.text.strip("\r\n").splitlines())
        if self.selection.is_empty:
            self.insert_text_at_cursor(text)
        else:
            self.replace(text, *self.selection)
