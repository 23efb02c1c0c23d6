"""Leaving: the sessions go on unless the person says otherwise."""

from collections.abc import Iterable
from typing import ClassVar, Literal

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Button

from agentdeck.ui.figures import count
from agentdeck.ui.screens.dialog import Dialog, button, buttons, sentence

Leave = Literal["detach", "stop"]


class Quit(Dialog[Leave | None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d,q", "leave('detach')", show=False),
        Binding("s", "leave('stop')", show=False),
        Binding("c", "cancel", show=False),
    ]

    title_text = "leave agentdeck"
    keys = "enter detach  s stop all  esc stay"

    def __init__(self, running: int) -> None:
        super().__init__()
        self._count = running

    def parts(self) -> Iterable[Widget]:
        if self._count:
            going = count(self._count, "session is", "sessions are")
            yield sentence(f"{going} running. Detach leaves {'it' if self._count == 1 else 'them'} running;")
            yield sentence("agentdeck shows the same screens when you come back.")
        else:
            yield sentence("Nothing is running.")
        choices = [button("Detach", "detach")]
        if self._count:
            choices.append(button(f"Stop {count(self._count, 'session', 'sessions')}", "stop"))
        yield buttons(*choices, button("Cancel", "cancel"))

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#detach").focus()

    @on(Button.Pressed)
    def _button_pressed(self, event: Button.Pressed) -> None:
        answers: dict[str | None, Leave] = {"detach": "detach", "stop": "stop"}
        self.dismiss(answers.get(event.button.id))

    def action_leave(self, how: Leave) -> None:
        if how == "detach" or self._count:
            self.dismiss(how)
