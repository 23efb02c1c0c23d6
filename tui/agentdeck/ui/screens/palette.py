"""Every action by name: type a part of it, press Enter."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.fuzzy import FuzzySearch
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from agentdeck.ui.figures import clean
from agentdeck.ui.screens.dialog import Dialog, sentence

Entry = tuple[str, str, str]
"""Action id, its title, its keys."""


def found(entries: Sequence[Entry], query: str) -> list[Entry]:
    """The entries that `query` fits, best first; its letters may be scattered over the title."""
    query = " ".join(query.split())
    if not query:
        return list(entries)
    search = FuzzySearch()
    scored = [(search.match(query, entry[1])[0], entry) for entry in entries]
    return [entry for score, entry in sorted(scored, key=lambda pair: -pair[0]) if score > 0]


class Palette(Dialog[str | None]):
    DEFAULT_CSS = """
    Palette OptionList { height: auto; max-height: 12; margin: 1 0 0 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,ctrl+n", "move(1)", show=False, priority=True),
        Binding("up,ctrl+p", "move(-1)", show=False, priority=True),
    ]

    title_text = "do"
    keys = "enter do it  up down choose  esc cancel"

    def __init__(self, entries: Sequence[Entry]) -> None:
        super().__init__()
        self._entries = tuple(entries)

    def parts(self) -> Iterable[Widget]:
        yield Input(placeholder="type a part of its name", compact=True)
        yield OptionList(compact=True)
        yield sentence("nothing is called that", "muted", id="none")

    def on_mount(self) -> None:
        super().on_mount()
        self._list("")
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._list(event.value)

    def _list(self, query: str) -> None:
        entries = found(self._entries, query)
        options = self.query_one(OptionList)
        options.clear_options()
        width = max((len(keys) for _, _, keys in entries), default=0)
        for action, title, keys in entries:
            label = Content.assemble((f"{clean(keys):<{width}}  ", "$text-primary"), clean(title))
            options.add_option(Option(label, id=action))
        options.highlighted = 0 if entries else None
        options.display = bool(entries)
        self.query_one("#none").display = not entries

    def action_move(self, by: int) -> None:
        options = self.query_one(OptionList)
        (options.action_cursor_down if by > 0 else options.action_cursor_up)()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        options = self.query_one(OptionList)
        if options.highlighted is not None:
            self.dismiss(options.get_option_at_index(options.highlighted).id)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)
