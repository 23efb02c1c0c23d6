"""What somebody sees who has no agent CLI installed yet."""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Button

from agentdeck.ui.screens.dialog import Dialog, button, buttons, sentence

Start = Literal["shell", "demo"]


class FirstContact(Dialog[Start | None]):
    DEFAULT_CSS = """
    FirstContact VerticalScroll { height: auto; max-height: 14; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "start('shell')", show=False),
        Binding("d", "start('demo')", show=False),
    ]

    title_text = "welcome to agentdeck"
    keys = "enter shell  d demo  esc look around"

    def __init__(self, lines: Sequence[str]) -> None:
        """`lines` say what was looked for, what was found, and what installs the rest."""
        super().__init__()
        self._told = tuple(lines)

    def parts(self) -> Iterable[Widget]:
        yield VerticalScroll(*(sentence(line) for line in self._told), can_focus=False)
        yield buttons(button("Open a shell", "shell"), button("Play the demo", "demo"), button("Close", "close"))

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#shell").focus()

    @on(Button.Pressed)
    def _button_pressed(self, event: Button.Pressed) -> None:
        answers: dict[str | None, Start] = {"shell": "shell", "demo": "demo"}
        self.dismiss(answers.get(event.button.id))

    def action_start(self, what: Start) -> None:
        self.dismiss(what)
