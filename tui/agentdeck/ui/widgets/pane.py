"""One session's screen, drawn cell for cell.

Given a replica and two looks, it draws rows as strips straight into the compositor and paints what a frame changed at
once. It says what the person did with the mouse and which history it needs; it knows no hub. With a frame its side and
bottom edges are part of it (the title row above is a widget of its own), so a copy never contains them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset, Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from agentdeck.protocol import messages as m
from agentdeck.protocol.screen import Cursor, Row
from agentdeck.ui import glyphs
from agentdeck.ui.figures import broken, count
from agentdeck.ui.paint import paint, row_regions
from agentdeck.ui.replica import Replica
from agentdeck.ui.selection import Selection, Spot, copy
from agentdeck.ui.styles import Look
from agentdeck.ui.widgets.pointer import Pointer


class Pane(Widget):
    ALLOW_SELECT = False
    DEFAULT_CSS = "Pane { padding: 0; border: none; }"

    @dataclass
    class Pressed(Message):
        """A click that selected nothing."""

        pane: "Pane"

    @dataclass
    class Selected(Message):
        """Text was selected: it is what a copy gets."""

        pane: "Pane"
        text: str

    @dataclass
    class MouseReported(Message):
        """A mouse event for the program. Cells are 0-based; `button` is as in SGR reports."""

        session: str
        button: int
        x: int
        y: int
        press: bool

    @dataclass
    class KeysWanted(Message):
        """The wheel over a full-screen program that did not ask for the mouse: it gets arrow keys."""

        session: str
        keys: tuple[str, ...]

    @dataclass
    class Scrolled(Message):
        """The view moved, or began or ended following the output."""

        pane: "Pane"

    @dataclass
    class HistoryWanted(Message):
        """Rows above the screen that the view is near to: what to ask for them."""

        session: str
        request: m.AnyRequest

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.replica: Replica | None = None
        self.typing = False
        self.framed = False
        self.selection: Selection | None = None
        self.found: Selection | None = None
        """Where a searched text stands."""
        self._chosen = False
        self._notes: tuple[str, ...] = ()
        self._top: int | None = None
        """The absolute line at the top while scrolled back, None while following the output."""
        self._owed = 0
        """The line below zero that the person wants to see, while nobody has told yet what is there."""
        self._looks: tuple[Look, Look] | None = None
        self._cache: dict[int, tuple[Row | None, Strip]] = {}
        """Drawn rows with their edges, by their place in the pane; `_redraw` drops them."""
        self._pointer = Pointer(self)

    # ── what it is given ───────────────────────────────────────────────────────────────────────

    def show(
        self,
        replica: Replica | None,
        *,
        typing: bool,
        framed: bool,
        chosen: bool = False,
        notes: tuple[str, ...] = (),
    ) -> None:
        """Show a session's screen. `typing`: it gets the keys; `chosen`: its frame stands out among several.

        `notes` are lines at its foot that are not its own text.
        """
        if replica is not self.replica:
            self.replica, self._top, self.selection, self.found, self._owed = replica, None, None, None, 0
        elif (typing, framed, chosen, notes) == (self.typing, self.framed, self._chosen, self._notes):
            return
        self.typing, self.framed, self._chosen, self._notes = typing, framed, chosen, notes
        self._redraw()

    def wear(self, bright: Look, dim: Look) -> None:
        """Draw with these looks: with the keys, and without."""
        self._looks = (bright, dim)
        self._redraw()

    def changed(self, rows: Iterable[int] | None) -> None:
        """The replica took a frame in that changed these screen rows, or all of them. Paints at once."""
        replica = self.replica
        if replica is None:
            return
        if self._top is not None:
            if self._top >= replica.history:
                self._top = None
            elif self._top < replica.lowest:
                self._top = replica.lowest
            self._redraw()
            self._want_history()
            return
        if rows is None:
            self._cache.clear()
            paint(self, [self._inner])
            return
        skip, height = self._skip, self.rows_shown
        ys = [y - skip for y in rows if 0 <= y - skip < height]
        paint(self, row_regions(ys, self._inner))

    def fetched(self) -> None:
        """History rows that were asked for have come."""
        replica = self.replica
        if self._owed and replica is not None and replica.told:
            self.scroll_to_line(self._owed)
        elif self._top is not None or self._owed:
            self._redraw()
            self._want_history()

    # ── geometry ───────────────────────────────────────────────────────────────────────────────

    @property
    def look(self) -> Look:
        assert self._looks is not None, "a pane needs its looks before it draws"
        return self._looks[0 if self.typing or self.reading else 1]

    @property
    def reading(self) -> bool:
        """Whether it shows what was, not what is."""
        return self._top is not None or (self.replica is not None and self.replica.readable)

    @property
    def _edge(self) -> Style:
        assert self._looks is not None
        return self._looks[0 if self.typing or self._chosen else 1].frame

    @property
    def columns_shown(self) -> int:
        return max(0, self.size.width - 2 * self.framed)

    @property
    def left(self) -> int:
        """Columns of the program before the pane's first one."""
        return 0

    @property
    def rows_shown(self) -> int:
        """Rows of the program, without frame and notes."""
        return max(0, self.size.height - self.framed - len(self._wrapped_notes))

    @property
    def _inner(self) -> Region:
        return Region(int(self.framed), 0, self.columns_shown, max(0, self.size.height - self.framed))

    @property
    def _skip(self) -> int:
        """Screen rows above the pane's first one: the screen is higher than the pane, or notes cover its foot."""
        replica = self.replica
        if replica is None:
            return 0
        used = len(replica.rows)
        while used > self.rows_shown and used - 1 > replica.cursor.y and not replica.rows[used - 1].text.strip():
            used -= 1
        return max(0, used - self.rows_shown)

    @property
    def first_line(self) -> int:
        """The absolute line in the pane's first row."""
        if self._top is not None:
            return self._top
        return self.replica.history + self._skip if self.replica is not None else 0

    @property
    def lines_up(self) -> int:
        """How far the view is above the output's end; 0 while following it."""
        return self.replica.history - self._top if self.replica is not None and self._top is not None else 0

    def cursor(self) -> tuple[Offset, Cursor] | None:
        """Where on the terminal the program's cursor is, when it is to be seen."""
        replica = self.replica
        if replica is None or not self.typing or self._top is not None or not replica.cursor.visible:
            return None
        x, y = replica.cursor.x, replica.cursor.y - self._skip
        if not (0 <= y < self.rows_shown and 0 <= x < self.columns_shown):
            return None
        return self.region.offset + Offset(x + self.framed, y), replica.cursor

    # ── scrolling ──────────────────────────────────────────────────────────────────────────────

    def scroll_lines(self, by: int) -> None:
        """Move the view; negative is back in time. At the end it follows the output again."""
        replica = self.replica
        if replica is None:
            return
        start = self._top if self._top is not None else replica.history
        wished = start + by
        self._owed = 0 if replica.told or replica.readable else min(0, wished)
        top = max(replica.lowest, wished)
        self._top = top if top < replica.history else None
        self._redraw()
        self._want_history()
        self.post_message(self.Scrolled(self))

    def reveal(self, line: int) -> None:
        """Show this line, in the upper third when it is not in view yet."""
        first = self.first_line
        if not first <= line < first + self.rows_shown:
            self.scroll_to_line(line - self.rows_shown // 3)

    def scroll_to_line(self, line: int) -> None:
        """Show this line first."""
        self.scroll_lines(line - (self._top if self._top is not None else self._end))

    @property
    def _end(self) -> int:
        return self.replica.history if self.replica is not None else 0

    def show_found(self, found: Selection | None) -> None:
        """Mark where a searched text stands, and go there."""
        self.found = found
        if found is not None:
            self.reveal(found.anchor.line)
        self._redraw()

    def follow(self) -> None:
        """Go back to where the output is."""
        if self._top is not None or self.selection is not None or self.found is not None:
            self._top, self.selection, self.found, self._owed = None, None, None, 0
            self._redraw()
            self.post_message(self.Scrolled(self))

    def select(self, selection: Selection | None) -> None:
        if selection != self.selection:
            self.selection = selection
            self._redraw()

    def selected_text(self) -> str:
        if self.selection is None or self.replica is None:
            return ""
        return copy(self.selection, self.replica.row)

    def shown_text(self) -> str:
        """The text in view."""
        if self.replica is None:
            return ""
        start = Spot(self.first_line, 0)
        end = Spot(start.line + max(0, self.rows_shown - 1), max(0, self.replica.columns - 1))
        return copy(Selection(start, end), self.replica.row)

    # ── drawing ────────────────────────────────────────────────────────────────────────────────

    def _redraw(self) -> None:
        self._cache.clear()
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        self._cache.clear()

    def render_lines(self, crop: Region) -> list[Strip]:
        if self._looks is None:
            return [Strip.blank(crop.width)] * crop.height
        width, height = self.size
        drawn = self._drawn(crop.y, crop.bottom, height)
        whole = crop.x == 0 and crop.width == width
        return drawn if whole else [strip.crop(crop.x, crop.right) for strip in drawn]

    def _drawn(self, start: int, end: int, height: int) -> list[Strip]:
        """The strips of rows start … end-1. Textual often asks for all of them when few have changed."""
        notes = self._wrapped_notes
        foot = height - self.framed
        last = foot - len(notes)
        first, replica, known = self.first_line, self.replica, self._cache
        plain = self.selection is None and self.found is None
        strips: list[Strip] = []
        for y in range(start, end):
            if y < last:
                row = replica.row(first + y) if replica is not None else None
                cached = known.get(y)
                if plain and cached is not None and cached[0] is row:
                    strip = cached[1]
                else:
                    strip = self._edged(self._content(row, first + y))
                    known[y] = (row, strip)
                if y == 0 and self._top is not None and not self.framed:
                    strip = self._overlay_mark(strip)
            elif y < foot:
                strip = self._edged(self._note(notes[y - last]))
            else:
                strip = self._bottom_edge()
            strips.append(strip)
        return strips

    def _edged(self, strip: Strip) -> Strip:
        if not self.framed:
            return strip
        edge = Segment(glyphs.active().separator, self._edge)
        return Strip([edge, *strip, edge], strip.cell_length + 2)

    def _content(self, row: Row | None, line: int) -> Strip:
        look, columns, replica = self.look, self.columns_shown, self.replica
        if replica is None or row is None:
            return Strip.blank(columns, look.blank)
        left = self.left
        strip = look.strip(row, left + columns).crop(left, left + columns)
        chosen = self.selection or self.found
        if chosen is not None and (span := chosen.columns(line, replica.row)) is not None:
            start, end = max(0, span[0] - left), max(0, span[1] - left)
            chosen_part = Strip(Segment(s.text, (s.style or Style()) + look.selected) for s in strip.crop(start, end))
            strip = Strip.join([strip.crop(0, start), chosen_part, strip.crop(end, columns)])
        return strip

    def _bottom_edge(self) -> Strip:
        signs = glyphs.active()
        left, right = ("└", "┘") if signs.name == "unicode" else ("+", "+")
        mark = self._mark()
        inside = signs.rule * max(0, self.columns_shown - cell_len(mark) - 1) + mark + signs.rule
        return Strip([Segment(left + inside + right, self._edge)]).adjust_cell_length(self.size.width, self._edge)

    def _mark(self) -> str:
        up = self.lines_up
        return f" {count(up, 'line', 'lines')} up " if up else ""

    def _overlay_mark(self, strip: Strip) -> Strip:
        mark = self._mark()
        room = max(0, self.columns_shown - cell_len(mark))
        return Strip.join([strip.crop(0, room), Strip([Segment(mark, self.look.notice)])])

    def _note(self, text: str) -> Strip:
        strip = Strip([Segment(text, self.look.notice)])
        return strip.adjust_cell_length(self.columns_shown, self.look.blank)

    @property
    def _wrapped_notes(self) -> list[str]:
        if not self._notes:
            return []
        lines = [f" {line}" for note in self._notes for line in broken(note, self.columns_shown - 2)]
        return lines[: max(0, self.size.height - self.framed)]

    def _want_history(self) -> None:
        if self.replica is None or (self._top is None and not self._owed):
            return
        top, margin = self._owed or self.first_line, self.rows_shown
        while (request := self.replica.wanted(top - margin, top + 2 * margin)) is not None:
            self.post_message(self.HistoryWanted(self.replica.session, request))

    # ── the mouse ──────────────────────────────────────────────────────────────────────────────

    def on_mouse_down(self, event: events.MouseDown) -> None:
        event.stop()
        self._pointer.down(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        event.stop()
        self._pointer.move(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        event.stop()
        self._pointer.up(event)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._pointer.wheel(event, back=True)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._pointer.wheel(event, back=False)
