"""Places in conversations, each conversation under its heading: what a search shows, and which place is chosen.

They come newest first, and a conversation stands where its newest place is. Of each the hub tells the newest few; a row
below them brings the others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.message import Message

from agentdeck.protocol.search import Place
from agentdeck.ui import glyphs
from agentdeck.ui.figures import clean, duration, fit, short_path
from agentdeck.ui.widgets.lines import INKS, Line, Lines, Piece, clip, spread
from agentdeck.ui.wording import INK_OF_STATE

WHEEL: Final = 3

SPEAKER: Final = 9
"""Cells of who said it."""

LEAD: Final = 24
"""Cells at most before the first word that was found, where the line is too long."""

Known = Mapping[str, tuple[str, str]]
"""Conversations that sessions of the deck have: `provider:id` → state and what the session is called."""


class Row(NamedTuple):
    """A line of the results: `kind` is heading, place or more."""

    kind: str
    place: Place


def rows_of(places: Sequence[Place], fuller: Sequence[str] = ()) -> list[Row]:
    groups: dict[str, list[Place]] = {}
    for place in places:
        groups.setdefault(place.key, []).append(place)
    rows: list[Row] = []
    for key, group in groups.items():
        rows.append(Row("heading", group[0]))
        rows += [Row("place", place) for place in group]
        if key in fuller:
            rows.append(Row("more", group[-1]))
    return rows


def window(snippet: str, marks: Sequence[tuple[int, int]], width: int) -> tuple[Piece, ...]:
    """Cut a snippet to `width` cells so that the first mark is in it, with all marks in their ink."""
    start, text = 0, clean(snippet)
    if marks and cell_len(text) > width:
        first = marks[0]
        room = max(0, min(LEAD, width - cell_len(text[slice(*first)]) - 2))
        start = first[0]
        while start and cell_len(text[start - 1 : first[0]]) <= room:
            start -= 1
        if start:
            start = text.find(" ", start, first[0]) + 1 or start  # with a whole word
    pieces = [Piece(glyphs.active().ellipsis if start else "", "muted")]
    at = start
    for begin, end in marks:
        if begin >= at:
            pieces += [Piece(text[at:begin]), Piece(text[begin:end], "found")]
            at = end
    pieces.append(Piece(text[at:]))
    return clip([piece for piece in pieces if piece.text], width)


class SearchResults(Lines):
    DEFAULT_CSS = """
    SearchResults { height: 1fr; margin: 1 0 0 0; background: $panel; }
    SearchResults > .ink--found { color: $warning; text-style: bold; }
    SearchResults:nocolor > .ink--found { text-style: bold underline; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"ink--{name}" for name in (*INKS, "found")}

    @dataclass
    class Opened(Message):
        """A row was chosen that is no heading."""

        row: Row

    class MoreWanted(Message):
        """The person comes near to the last place."""

    def __init__(self, home: str, known: Known, now: Callable[[], float], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._home, self._known, self._now = home, known, now
        self._names: dict[str, str] = {}
        self._words: tuple[str, ...] = ()
        self.rows: list[Row] = []
        self._at = -1
        """Which row is chosen; -1 while there is none."""
        self._top = 0

    # ── what it is given ───────────────────────────────────────────────────────────────────────

    def show(self, places: Sequence[Place], fuller: Sequence[str] = (), *, anew: bool = True) -> None:
        """Show places, newest first. Without `anew` the chosen one stays where it is, once somebody has chosen."""
        before, at, height = self.chosen, self._at, self._at - self._top
        self.rows = rows_of(places, fuller)
        if anew or before is None or at <= 1:
            self._at, self._top = self._next(-1, 1), 0
        else:
            same = next((n for n, row in enumerate(self.rows) if row == before), None)
            self._at = same if same is not None else self._next(min(at, len(self.rows)), -1)
            self._top = max(0, self._at - height)
        self._words = ()
        self.redraw()

    def entitle(self, names: Mapping[str, str]) -> None:
        """Say what conversations are about, by `provider:id`."""
        self._names |= names
        self.redraw()

    def say(self, *sentences: str) -> None:
        """Show sentences in place of places."""
        self.rows, self._at, self._top, self._words = [], -1, 0, sentences
        self.redraw()

    @property
    def chosen(self) -> Row | None:
        return self.rows[self._at] if 0 <= self._at < len(self.rows) else None

    # ── moving ─────────────────────────────────────────────────────────────────────────────────

    def move(self, by: int) -> None:
        """Choose the next or previous place; headings are passed over."""
        self._choose(self._next(self._at, by))

    def page(self, by: int) -> None:
        if not self.rows:
            return
        wanted = max(0, min(len(self.rows) - 1, self._at + by * max(1, self.size.height - 1)))
        if self.rows[wanted].kind == "heading":
            wanted = self._next(wanted, 1)
        self._choose(wanted)

    def choose(self, row: Row) -> None:
        """Choose this row, if it is there."""
        if row in self.rows:
            self._choose(self.rows.index(row))

    def _next(self, at: int, by: int) -> int:
        """The next row from `at` that can be chosen, else the one that is chosen now or the first of all."""
        n = at + by
        while 0 <= n < len(self.rows):
            if self.rows[n].kind != "heading":
                return n
            n += by
        return at if 0 <= at < len(self.rows) and self.rows[at].kind != "heading" else min(1, len(self.rows) - 1)

    def _choose(self, at: int) -> None:
        if at == self._at:
            self._want_more()
            return
        self._at = at
        self.redraw()
        self._want_more()

    def _want_more(self) -> None:
        if self.rows and self._at + self.size.height >= len(self.rows):
            self.post_message(self.MoreWanted())

    # ── drawing ────────────────────────────────────────────────────────────────────────────────

    def lay_out(self, width: int, height: int) -> list[Line]:
        if self._words:
            return [Line(clip((Piece(words, "muted"),), width)) for words in self._words]
        top_row = self._at - 1 if self._at == 1 else self._at  # the first place with its heading
        self._top = max(0, min(self._top, top_row, len(self.rows) - 1), self._at - height + 1)
        shown = self.rows[self._top : self._top + height]
        return [self._line(row, width, chosen=n == self._at) for n, row in enumerate(shown, self._top)]

    def _line(self, row: Row, width: int, *, chosen: bool) -> Line:
        place, signs = row.place, self.glyphs
        if row.kind == "heading":
            return self._heading(place, width)
        cursor = Piece(f" {signs.cursor if chosen else ' '} ", "accent")
        fill = "selected" if chosen else ""
        if row.kind == "more":
            return Line((cursor, Piece(f"{signs.ellipsis} more places in this conversation", "muted")), fill)
        who = Piece(f"{fit('sub-agent' if place.agent else place.role, SPEAKER, signs.ellipsis)}  ", "muted")
        when = Piece(f"  {self._age(place.at):>5} ", "muted")
        room = width - 3 - SPEAKER - 2 - cell_len(when.text)
        found = window(place.snippet, place.marks, room)
        return spread((cursor, who, *found), (when,), width)._replace(fill=fill)

    def _heading(self, place: Place, width: int) -> Line:
        state, session = self._known.get(place.key, ("", ""))
        left = [Piece(place.provider, "accent")]
        if session:
            left.append(Piece(f"  {self.glyphs.state(state)} {clean(session)}", INK_OF_STATE.get(state, "muted")))
        if place.project:
            where = short_path(clean(place.project), self._home, max(16, width // 3), self.glyphs.ellipsis)
            left.append(Piece(f"  {where}", "muted"))
        left.append(Piece(f"  {self._names.get(place.key, '')}", "strong"))
        return spread(tuple(left), (Piece(f"  {self._age(place.at):>5} ", "muted"),), width)

    def _age(self, at: float) -> str:
        return duration(self._now() - at) if at else self.glyphs.dash

    # ── the mouse ──────────────────────────────────────────────────────────────────────────────

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        for _ in range(WHEEL):
            self.move(-1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        for _ in range(WHEEL):
            self.move(1)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        at = self._top + event.y
        if 0 <= at < len(self.rows) and self.rows[at].kind != "heading":
            self._choose(at)
            self.post_message(self.Opened(self.rows[at]))
