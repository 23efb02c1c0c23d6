"""What the mouse does over a pane: it belongs to the program if that asked for it, else it selects and scrolls.

Shift always gives it back to the person. Buttons are numbered as in SGR reports: 0-2, +4 shift, +8 alt, +16 ctrl,
+32 motion, 64 and 65 for the wheel.
"""

from typing import TYPE_CHECKING, Final

from textual import events

from agentdeck.ui.selection import Selection, Spot, Unit

if TYPE_CHECKING:
    from agentdeck.ui.widgets.pane import Pane

WHEEL: Final = 3
"""Lines for one notch."""
AGAIN: Final = 0.5
"""Seconds between two presses in the same cell that make a double click."""

_UNITS: Final[tuple[Unit, ...]] = ("cell", "word", "line")
_NO_BUTTON: Final = 3


class Pointer:
    def __init__(self, pane: "Pane") -> None:
        self._pane = pane
        self._held: int | None = None
        """The button that the program knows to be down."""
        self._dragging = False
        self._moved = False
        self._anchor = Spot(0, 0)
        self._unit: Unit = "cell"
        self._last_press = (-AGAIN, -1, -1)
        self._clicks = 0
        self._reported = (-1, -1)

    def down(self, event: events.MouseDown) -> None:
        pane = self._pane
        button = max(0, event.button - 1)
        if self._for_program(event):
            self._held = button
            pane.capture_mouse()
            self._report(event, button, press=True)
            return
        if button != 0 or pane.replica is None:
            return
        time, x, y = self._last_press
        again = event.time - time <= AGAIN and (event.x, event.y) == (x, y)
        self._clicks = self._clicks % 3 + 1 if again else 1
        self._last_press = (event.time, event.x, event.y)
        self._unit = _UNITS[self._clicks - 1]
        self._anchor = self._spot(event)
        self._dragging, self._moved = True, self._clicks > 1
        pane.capture_mouse()
        pane.select(Selection(self._anchor, self._anchor, self._unit) if self._moved else None)

    def move(self, event: events.MouseMove) -> None:
        pane = self._pane
        if self._dragging:
            if event.y < 0:
                pane.scroll_lines(-1)
            elif event.y >= pane.rows_shown:
                pane.scroll_lines(1)
            spot = self._spot(event)
            if spot != self._anchor:
                self._moved = True
            if self._moved:
                pane.select(Selection(self._anchor, spot, self._unit))
        elif self._held is not None or self._for_program(event):
            mode = pane.replica.modes.mouse if pane.replica is not None else 0
            if self._cell(event) != self._reported and (mode == 1003 or (mode == 1002 and self._held is not None)):
                self._report(event, 32 + (_NO_BUTTON if self._held is None else self._held), press=True)

    def up(self, event: events.MouseUp) -> None:
        pane = self._pane
        if self._held is not None:
            self._report(event, self._held, press=False)
            self._held = None
            pane.release_mouse()
        elif self._dragging:
            self._dragging = False
            pane.release_mouse()
            if self._moved and (text := pane.selected_text()):
                pane.post_message(pane.Selected(pane, text))
            else:
                pane.select(None)
                pane.post_message(pane.Pressed(pane))

    def wheel(self, event: events.MouseEvent, *, back: bool) -> None:
        pane, replica = self._pane, self._pane.replica
        if replica is None:
            return
        if self._for_program(event):
            self._report(event, 64 if back else 65, press=True)
        elif pane.typing and replica.modes.alternate and not event.shift:
            pane.post_message(pane.KeysWanted(replica.session, ("up" if back else "down",) * WHEEL))
        else:
            pane.scroll_lines(-WHEEL if back else WHEEL)

    def _for_program(self, event: events.MouseEvent) -> bool:
        replica = self._pane.replica
        return (
            replica is not None
            and self._pane.typing
            and replica.modes.mouse != 0
            and not event.shift
            and self._pane.lines_up == 0
        )

    def _report(self, event: events.MouseEvent, button: int, *, press: bool) -> None:
        replica = self._pane.replica
        if replica is None:
            return
        x, y = self._reported = self._cell(event)
        button += 4 * event.shift + 8 * event.meta + 16 * event.ctrl
        self._pane.post_message(self._pane.MouseReported(replica.session, button, x, y, press))

    def _cell(self, event: events.MouseEvent) -> tuple[int, int]:
        """The program's cell under the pointer, kept on its screen."""
        pane = self._pane
        x = min(max(0, int(event.x) - pane.framed), max(0, pane.columns_shown - 1))
        line = min(max(0, int(event.y)), max(0, pane.rows_shown - 1)) + pane.first_line
        return x, max(0, line - (pane.replica.history if pane.replica is not None else 0))

    def _spot(self, event: events.MouseEvent) -> Spot:
        pane = self._pane
        x = min(max(0, int(event.x) - pane.framed), max(0, pane.columns_shown - 1))
        y = min(max(0, int(event.y)), max(0, pane.rows_shown - 1))
        return Spot(pane.first_line + y, pane.left + x)
