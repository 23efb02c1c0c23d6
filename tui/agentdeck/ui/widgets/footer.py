"""The last row: which mode the keys are in, and the keys that matter now, as many as fit."""

from collections.abc import Sequence

from agentdeck.ui.figures import clean
from agentdeck.ui.widgets.lines import Line, Lines, Piece, clip, width_of

FLASH_SECONDS = 0.35


class Footer(Lines):
    DEFAULT_CSS = "Footer { background: $panel; }"

    _mode = "deck"
    _hints: tuple[tuple[str, str], ...] = ()
    _note = ""
    _flashing = False

    def show(self, mode: str, hints: Sequence[tuple[str, str]], note: str = "") -> None:
        """`hints` are (key, what it does), the most important first; the last one always stays (it leads to help)."""
        self._mode, self._hints, self._note = mode, tuple(hints), note
        self.redraw()

    def flash(self) -> None:
        """Show once that the key just pressed does nothing here."""
        self._flashing = True
        self.redraw()
        self.set_timer(FLASH_SECONDS, self._settle)

    def _settle(self) -> None:
        self._flashing = False
        self.redraw()

    def lay_out(self, width: int, height: int) -> list[Line]:
        ink = "flash" if self._flashing else "deck" if self._mode == "deck" else "typing"
        pieces = [Piece(f" {clean(self._mode).upper()} ", ink), Piece(" ")]
        if self._note:
            pieces += [Piece(clean(self._note), "needs-you"), Piece("  ")]
        room = width - width_of(pieces)
        pieces += self._fitting(room)
        return [Line(clip(pieces, width))]

    def _fitting(self, room: int) -> list[Piece]:
        hints = [(Piece(key, "accent"), Piece(f" {what}", "muted"), Piece("  ")) for key, what in self._hints]
        if not hints:
            return []
        *others, last = hints
        room -= width_of(last) - 2
        if room < 0:
            return []
        shown: list[Piece] = []
        for hint in others:
            room -= width_of(hint)
            if room < 0:
                break
            shown += hint
        return [*shown, *last[:2]]
