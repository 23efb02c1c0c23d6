"""Every key, from the table that is in force now, with a search."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from agentdeck.ui.figures import clean
from agentdeck.ui.screens.dialog import Dialog

Section = tuple[str, Sequence[tuple[str, str]]]
"""A group's name, and its rows: keys, what they do."""


def searched(sections: Sequence[Section], query: str) -> list[Section]:
    """The rows that have every word of `query` in their group, keys or text; groups without any are left out."""
    words = query.casefold().split()
    left = [
        (name, [row for row in rows if all(word in f"{name} {row[0]} {row[1]}".casefold() for word in words)])
        for name, rows in sections
    ]
    return [(name, rows) for name, rows in left if rows]


class Help(Dialog[None]):
    DEFAULT_CSS = """
    Help VerticalScroll { height: auto; max-height: 30; margin: 1 0 0 0; scrollbar-size-vertical: 1; }
    Help Static { width: 1fr; height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "by(1)", show=False, priority=True),
        Binding("up", "by(-1)", show=False, priority=True),
        Binding("pagedown", "by(10)", show=False, priority=True),
        Binding("pageup", "by(-10)", show=False, priority=True),
        Binding("f1", "cancel", show=False, priority=True),
    ]

    title_text = "keys"
    keys = "type to search  up down scroll  esc close"

    def __init__(self, sections: Sequence[Section]) -> None:
        super().__init__()
        self._sections = [(name, tuple(rows)) for name, rows in sections]

    def parts(self) -> Iterable[Widget]:
        yield Input(placeholder="search", compact=True)
        yield VerticalScroll(Static(id="keys"), can_focus=False)

    def on_mount(self) -> None:
        super().on_mount()
        self._fit()
        self._list("")
        self.query_one(Input).focus()

    def on_resize(self, event: events.Resize) -> None:
        self._fit()

    def _fit(self) -> None:
        self.query_one(VerticalScroll).styles.max_height = max(3, self.size.height - 5)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._list(event.value)
        self.query_one(VerticalScroll).scroll_home(animate=False)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.dismiss(None)

    def _list(self, query: str) -> None:
        sections = searched(self._sections, query)
        width = max((len(keys) for _, rows in sections for keys, _ in rows), default=0)
        lines: list[Content] = []
        for name, rows in sections:
            lines += [Content("")] if lines else []
            lines.append(Content.styled(clean(name), "bold $text-primary"))
            for keys, what in rows:
                lines.append(Content.assemble((f" {clean(keys):<{width}}  ", "bold"), clean(what)))
        shown = Content("\n").join(lines) if lines else Content.styled("no key does that", "$foreground-muted")
        self.query_one("#keys", Static).update(shown)

    def action_by(self, rows: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=rows, animate=False)
