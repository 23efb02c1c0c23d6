"""A pane on the screen of another machine, which is as large as it is: what does not fit is moved into view.

It follows the cursor until the person moves the view, by keys or by the wheel, and follows again when told to, or when
the view is back where following would be.
"""

from collections.abc import Iterable

from rich.cells import cell_len
from textual import events

from agentdeck.protocol.screen import Row
from agentdeck.ui.replica import Replica
from agentdeck.ui.viewport import Hidden, following, kept_inside
from agentdeck.ui.widgets.pane import Pane
from agentdeck.ui.widgets.pointer import WHEEL


class Window(Pane):
    def __init__(self) -> None:
        super().__init__()
        self._at = (0, 0)
        """The column and the row of the screen in the pane's first cell."""
        self.held = False
        """The person has moved the view: it follows no cursor."""
        self._widths: dict[int, tuple[Row, int]] = {}
        """Of rows by their place: up to where there is something in them."""
        self._said = ""

    @property
    def hidden(self) -> Hidden:
        """What is out of view and not blank."""
        if self.replica is None or not self.columns_shown or not self.rows_shown:
            return Hidden()
        x, y = self._at
        widths = [self._width(at, row) for at, row in enumerate(self.replica.rows)]
        used = max((at + 1 for at, width in enumerate(widths) if width), default=0)
        return Hidden(
            x, max(0, max(widths, default=0) - x - self.columns_shown), y, max(0, used - y - self.rows_shown)
        )  # fmt: skip

    def _width(self, at: int, row: Row) -> int:
        known = self._widths.get(at)
        if known is None or known[0] is not row:
            known = self._widths[at] = (row, cell_len(row.text.rstrip()))
        return known[1]

    @property
    def _skip(self) -> int:
        return self._at[1]

    @property
    def left(self) -> int:
        return self._at[0]

    def show(
        self, replica: Replica | None, *, typing: bool, framed: bool, chosen: bool = False,
        notes: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        super().show(replica, typing=typing, framed=framed, chosen=chosen, notes=notes)
        if self._look_again():
            self._redraw()

    def changed(self, rows: Iterable[int] | None) -> None:
        super().changed(None if self._look_again() else rows)
        self._tell()

    def on_resize(self, event: events.Resize) -> None:
        self._look_again()
        self.post_message(self.Scrolled(self))

    def _tell(self) -> None:
        """Say when what is hidden has changed: its words stand elsewhere, too."""
        if (words := self.hidden.words) != self._said:
            self._said = words
            self._redraw()
            self.post_message(self.Scrolled(self))

    def _followed(self) -> tuple[int, int]:
        replica = self.replica
        if replica is None:
            return 0, 0
        (x, y), cursor = self._at, replica.cursor
        seen = cursor.visible
        return (
            following(x, cursor.x if seen else None, self.columns_shown, replica.columns, 0),
            following(y, cursor.y if seen else None, self.rows_shown, len(replica.rows), super()._skip),
        )

    def _look_again(self) -> bool:
        """Decide anew what is in view; whether that changed."""
        before, replica = self._at, self.replica
        if not self.columns_shown or not self.rows_shown:
            return False
        if self.held and replica is not None:
            x, y = self._at
            self._at = (
                kept_inside(x, self.columns_shown, replica.columns),
                kept_inside(y, self.rows_shown, len(replica.rows)),
            )
        else:
            self._at = self._followed()
        return self._at != before

    def move(self, columns: int, rows: int) -> None:
        """Move the view over the screen; back where the cursor would have it, it follows again."""
        if self.replica is None:
            return
        x, y = self._at
        self._at = (x + columns, y + rows)
        self.held = True
        self._look_again()
        self.held = self._at != self._followed()
        self._redraw()
        self.post_message(self.Scrolled(self))

    def scroll_lines(self, by: int) -> None:
        self.move(0, by)

    def follow(self) -> None:
        self.held, self.selection = False, None
        self._look_again()
        self._redraw()
        self.post_message(self.Scrolled(self))

    def _mark(self) -> str:
        words = self.hidden.words
        return f" hidden: {words} " if words else ""

    # ── the mouse ──────────────────────────────────────────────────────────────────────────────

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, WHEEL)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        self._wheel(event, -WHEEL, sideways=True)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        self._wheel(event, WHEEL, sideways=True)

    def _wheel(self, event: events.MouseEvent, by: int, *, sideways: bool = False) -> None:
        event.stop()
        event.prevent_default()
        if sideways or event.shift:
            self.move(2 * by, 0)
        else:
            self.move(0, by)
