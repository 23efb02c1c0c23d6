"""What the screen of somebody else's session is made of: its replica with a drawn cursor, and the small lines."""

from collections.abc import Iterable

from rich.cells import cell_len

from agentdeck.protocol.screen import INVERSE, Frame, Row
from agentdeck.ui.replica import Replica
from agentdeck.ui.widgets.lines import Line as Row_
from agentdeck.ui.widgets.lines import Lines, Piece, clip, spread


class Remote(Replica):
    """The shared screen, with its cursor drawn as a cell: the terminal's own one stays in our line."""

    readable = True

    def __init__(self, session: str) -> None:
        super().__init__(session)
        self._under: tuple[int, Row] | None = None

    def apply(self, frame: Frame) -> Iterable[int] | None:
        before = self._under[0] if self._under is not None else None
        if self._under is not None and self._under[0] < len(self.rows):
            self.rows[self._under[0]] = self._under[1]
        self._under = None
        changed = super().apply(frame)
        y = self.cursor.y
        if self.cursor.visible and y < len(self.rows):
            self._under = (y, self.rows[y])
            self.rows[y] = _with_cursor(self.rows[y], self.cursor.x)
        return None if changed is None else {*changed, *(row for row in (before, y) if row is not None)}


def _with_cursor(row: Row, x: int) -> Row:
    runs: list[tuple[str, int]] = []
    at = 0
    for text, style in row.runs:
        for n, character in enumerate(text):
            width = cell_len(character)
            if at <= x < at + max(1, width) and width:
                runs += [(text[:n], style), (character, style ^ INVERSE), (text[n + 1 :], style)]
                break
            at += width
        else:
            runs.append((text, style))
            continue
        at = x + 1_000_000  # it is drawn
    return Row(tuple(run for run in runs if run[0]), row.links, row.wrapped)


class Waiting(Lines):
    """What stands where the screen will be."""

    DEFAULT_CSS = "Waiting { height: 1fr; }"
    _told: tuple[tuple[str, str], ...] = ()

    def show(self, *told: tuple[str, str]) -> None:
        """Lines of a text and its ink, in the middle."""
        self._told = told
        self.redraw()

    def lay_out(self, width: int, height: int) -> list[Row_]:
        above = max(0, (height - len(self._told)) // 2)
        lines = [Row_()] * above
        for text, ink in self._told:
            lines.append(Row_(clip((Piece(" " * max(0, (width - cell_len(text)) // 2)), Piece(text, ink)), width)))
        return lines


class Latest(Lines):
    """The newest word, where there is no room for the chat."""

    _text: tuple[Piece, ...] = ()
    _right: tuple[Piece, ...] = ()

    def show(self, text: tuple[Piece, ...], right: str) -> None:
        self._text, self._right = text, ((Piece(f" {right} ", "muted"),) if right else ())
        self.redraw()

    def lay_out(self, width: int, height: int) -> list[Row_]:
        return [spread(self._text, self._right, width)]


class Mark(Lines):
    _ink = "accent"

    def show(self, *, prompt: bool) -> None:
        self._ink = "needs-you" if prompt else "accent"
        self.redraw()

    def lay_out(self, width: int, height: int) -> list[Row_]:
        return [Row_((Piece(" > ", self._ink),))]
