"""A question with two answers."""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Button

from agentdeck.ui.screens.dialog import Dialog, button, buttons, sentence


class Confirm(Dialog[bool]):
    """Enter says yes, Esc says no. `yes` is the verb on the button: what happens, not `OK`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", show=False),
        Binding("n", "answer(False)", show=False),
    ]

    def __init__(self, title: str, body: str, yes: str) -> None:
        super().__init__()
        self.title_text, self._body, self._yes = title, body, yes
        self.keys = "enter yes  esc no"

    def parts(self) -> Iterable[Widget]:
        yield from (sentence(line) for line in self._body.splitlines())
        yield buttons(button(self._yes, "yes"), button("Cancel", "no"))

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#yes").focus()

    @on(Button.Pressed)
    def _button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)

    def action_cancel(self) -> None:
        self.dismiss(False)
