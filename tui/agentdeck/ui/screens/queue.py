"""Write a prompt that waits until its session is free, and see, change or drop those that wait already."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, OptionList
from textual.widgets.option_list import Option

from agentdeck.protocol.queue import InterruptTold, Queued
from agentdeck.ui.figures import clean, count
from agentdeck.ui.screens.dialog import Dialog, button, buttons, sentence
from agentdeck.ui.screens.prompt import Editor

Deed = Literal["queue", "now", "edit", "cancel", "first", "send"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the person wants: a new prompt (`queue`, `now`), or something with number `n`."""

    deed: Deed
    text: str = ""
    n: int = 0


class QueueScreen(Dialog[Wanted | None]):
    DEFAULT_CSS = """
    QueueScreen > .box { width: 90; }
    QueueScreen Editor { height: 6; }
    QueueScreen OptionList { height: auto; max-height: 8; margin: 0 0 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+enter,ctrl+t", "now", show=False, priority=True),
        Binding("tab,shift+tab", "switch", show=False, priority=True),
    ]
    keys = "enter queue  ^enter or ^T now  ^J new line  tab those that wait  esc cancel"

    def __init__(self, title: str, waiting: Sequence[Queued] = (), editing: Queued | None = None) -> None:
        super().__init__()
        self.title_text, self._waiting, self._editing = title, tuple(waiting), editing

    def parts(self) -> Iterable[Widget]:
        if self._waiting and self._editing is None:
            options = OptionList(compact=True)
            for each in self._waiting:
                text = " ".join(clean(each.text).split())
                label = Content.assemble(f"{each.place} {text[:50]}  ", (clean(each.why or each.state), "$text-muted"))
                options.add_option(Option(label, id=str(each.n)))
            yield options
        value = self._editing.text if self._editing is not None else ""
        yield Editor(value, compact=True, placeholder="sent when it is free", tab_behavior="focus", id="text")
        yield buttons(button("Queue", "queue"), button("Now", "now"), button("Cancel", "cancel"))

    def on_mount(self) -> None:
        super().on_mount()
        editor = self.query_one(Editor)
        editor.focus()
        editor.move_cursor(editor.document.end)

    def on_key(self, event: events.Key) -> None:
        """Keys for the chosen one of those that wait."""
        deeds: dict[str, Deed] = {"e": "edit", "x": "cancel", "delete": "cancel", "f": "first", "s": "send"}
        chosen = self._chosen()
        if chosen and event.key in deeds:
            event.stop()
            self.dismiss(Wanted(deeds[event.key], n=chosen))

    def _chosen(self) -> int:
        options = self.query(OptionList)
        if not options or not options.first().has_focus or options.first().highlighted is None:
            return 0
        return int(options.first().get_option_at_index(options.first().highlighted or 0).id or 0)

    def action_switch(self) -> None:
        options = self.query(OptionList)
        if not options:
            self.focus_next()
        elif options.first().has_focus:
            self.query_one(Editor).focus()
            self.query_one(".box").border_subtitle = self.keys
        else:
            options.first().focus()
            options.first().highlighted = options.first().highlighted or 0
            self.query_one(".box").border_subtitle = "e edit  x drop  f first  s send now  tab back  esc cancel"

    @on(OptionList.OptionSelected)
    def _edit_chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(Wanted("edit", n=int(event.option_id or 0)))

    @on(Editor.Submitted)
    @on(Button.Pressed, "#queue")
    def _queue(self) -> None:
        self._done("queue")

    @on(Button.Pressed, "#now")
    def action_now(self) -> None:
        self._done("now")

    def _done(self, deed: Deed) -> None:
        text = self.query_one(Editor).text
        if self._editing is not None:
            deed = "send" if deed == "now" else "edit"
        self.dismiss(Wanted(deed, text, self._editing.n if self._editing is not None else 0) if text.strip() else None)

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self) -> None:
        self.dismiss(None)


class InterruptScreen(Dialog[Literal["now", "after"] | None]):
    """Says what an interrupt ends; Enter does it."""

    keys = "enter interrupt  a after this call  esc leave it alone"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("a", "after", show=False)]

    def __init__(self, name: str, told: InterruptTold) -> None:
        super().__init__()
        self._told = told
        self.title_text = f"interrupt {name}"

    def parts(self) -> Iterable[Widget]:
        yield sentence("This ends its turn, and with it:")
        yield from (sentence(f"  {line}") for line in ending(self._told))
        choices = [button("Interrupt", "now")]
        if self._told.tools:
            choices.append(button("After this call", "after"))
        yield buttons(*choices, button("Cancel", "cancel"))

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#now").focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss("now" if event.button.id == "now" else "after" if event.button.id == "after" else None)

    def action_after(self) -> None:
        if self._told.tools:
            self.dismiss("after")


def ending(told: InterruptTold) -> list[str]:
    """What an interrupt ends or holds, a line each; nothing when it ends the turn alone."""
    lines = [f"the call that runs: {tool}" for tool in told.tools]
    if told.agents:
        lines.append(f"{count(told.agents, 'sub-agent', 'sub-agents')} at work")
    if told.queued:
        lines.append(f"{count(told.queued, 'queued prompt', 'queued prompts')}: held until you go on")
    return lines
