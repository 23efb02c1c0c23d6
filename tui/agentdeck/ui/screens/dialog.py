"""What every dialog has in common: a box in the middle, Esc to leave it unchanged, a line that says the keys.

A dialog fits 60×20. It never changes what is under it and never asks the hub; it returns what the person chose, or
None (False for a question) when they left.
"""

from collections.abc import Iterable
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Label

from agentdeck.ui import glyphs
from agentdeck.ui.figures import clean

R = TypeVar("R")


class Dialog(ModalScreen[R]):
    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        background: $background 60%;
        & > .box {
            width: 72;
            max-width: 100%;
            height: auto;
            max-height: 100%;
            padding: 0 1;
            background: $panel;
            border: round $primary;
            border-title-color: $primary;
            border-title-style: bold;
            border-subtitle-color: $foreground-muted;
        }
        &.-plain > .box { border: ascii $primary; }
        Label { width: 1fr; height: auto; color: $foreground; }
        Label.muted { color: $foreground-muted; }
        Label.problem { color: $error; text-style: bold; }
        Input, TextArea { background: $background; }
        Input:focus, TextArea:focus { background-tint: $foreground 0%; }
        Input .input--placeholder { color: $foreground-muted; }
        OptionList { background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }
        OptionList:focus { background-tint: $foreground 0%; }
        /* Textual's lists drop `reverse` from their options. */
        &:nocolor OptionList > .option-list--option-highlighted { text-style: bold underline; }
        &:nocolor OptionList:focus > .option-list--option-highlighted { text-style: bold underline; }
        &:nocolor Input > .input--cursor { text-style: reverse; }
        &:nocolor Input > .input--placeholder { text-style: dim; }
        &:nocolor TextArea > .text-area--cursor { text-style: reverse; }
        .buttons { height: 1; margin: 1 0 0 0; }
        Button {
            width: auto;
            min-width: 8;
            margin: 0 1 0 0;
            padding: 0 2;
            color: $foreground;
            background: $primary-muted;
        }
        Button:focus { color: $background; background: $primary; text-style: bold; background-tint: $primary 0%; }
        Button:hover { background: $primary; color: $background; }
        &:nocolor Button:focus { text-style: bold reverse; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False),
        Binding("up,left", "app.focus_previous", show=False),
        Binding("down,right", "app.focus_next", show=False),
    ]

    title_text = ""
    keys = "enter ok  esc cancel"

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = clean(self.title_text)
            box.border_subtitle = self.keys
            yield from self.parts()

    def parts(self) -> Iterable[Widget]:
        """The widgets inside the box, from top to bottom."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.set_class(glyphs.active().border == "ascii", "-plain")

    def action_cancel(self) -> None:
        self.dismiss(None)


def buttons(*buttons: Button) -> Horizontal:
    return Horizontal(*buttons, classes="buttons")


def button(label: str, id: str) -> Button:
    return Button(Content(label), id=id, compact=True)


def sentence(text: str, classes: str = "", id: str | None = None) -> Label:
    """Text as it is: nothing in it is markup."""
    return Label(Content(clean(text)), classes=classes, id=id)
