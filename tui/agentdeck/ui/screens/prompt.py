"""Ask for a line, or some lines, of text: a new name, a prompt, a filter."""

from collections.abc import Iterable
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input, TextArea

from agentdeck.ui.screens.dialog import Dialog, button, buttons


class Editor(TextArea):
    """Enter is done; Ctrl+J (which every terminal can send) and Shift+Enter begin a new line."""

    class Submitted(Message):
        pass

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self.post_message(self.Submitted())
        elif event.key in ("ctrl+j", "newline", "shift+enter", "alt+enter"):
            event.stop()
            event.prevent_default()
            self.insert("\n")
        else:
            await super()._on_key(event)


class TextPrompt(Dialog[str | None]):
    """Returns the text as typed; an empty text is an answer too."""

    DEFAULT_CSS = """
    TextPrompt Editor { height: 6; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "done", show=False)]

    def __init__(self, title: str, value: str, multiline: bool = False, placeholder: str = "") -> None:
        super().__init__()
        self.title_text, self._value, self._multiline, self._placeholder = title, value, multiline, placeholder
        self.keys = "enter done  ^J new line  esc cancel" if multiline else "enter done  esc cancel"

    def parts(self) -> Iterable[Widget]:
        if self._multiline:
            yield Editor(self._value, compact=True, placeholder=self._placeholder, tab_behavior="focus", id="text")
        else:
            yield Input(self._value, compact=True, placeholder=self._placeholder, id="text")
        yield buttons(button("Done", "done"), button("Cancel", "cancel"))

    def on_mount(self) -> None:
        super().on_mount()
        field = self.query_one("#text")
        field.focus()
        if isinstance(field, TextArea):
            field.move_cursor(field.document.end)

    @property
    def _text(self) -> str:
        return self.query_one("#text", Editor).text if self._multiline else self.query_one("#text", Input).value

    @on(Input.Submitted)
    @on(Editor.Submitted)
    @on(Button.Pressed, "#done")
    def action_done(self) -> None:
        self.dismiss(self._text)

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self) -> None:
        self.dismiss(None)
