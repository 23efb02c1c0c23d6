"""The rows around a joined session: the status line above, and the facts below."""

from agentdeck.protocol.facts import Facts
from agentdeck.ui.figures import clean, cut
from agentdeck.ui.widgets.lines import Line, Lines, Piece, clip, spread, width_of
from agentdeck.ui.widgets.token_gauge import row_pieces

GOOD, FAIR = 80, 50
"""Health from which it is good, and from which it is worth a look."""
LEAST = 18
"""Cells that the name keeps however much is wrong with the line."""
NAME = 32
"""Cells of the session's name."""


class JoinedBar(Lines):
    """` agentdeck │ shop │ [shared: 3] │ driver │ …`, and at the right what is wrong with the line."""

    DEFAULT_CSS = "JoinedBar { background: $panel; }"

    _facts: tuple[Piece, ...] = ()
    _more: tuple[Piece, ...] = ()
    _clock = ""
    _trouble = ""

    def show(
        self, session: str, viewers: int, role: str, queue: str, *, trouble: str = "", clock: str = "",
        here: bool = True,
    ) -> None:  # fmt: skip
        """`queue` says in words what waits there; `trouble` what is wrong with the line."""
        bar = Piece(f" {self.glyphs.separator} ", "muted")
        facts = [Piece(" agentdeck", "accent"), bar, Piece(cut(clean(session), NAME, self.glyphs.ellipsis), "strong")]
        if here:
            facts += [bar, Piece(f"[shared: {viewers}]", "working" if not trouble else "muted"), bar, Piece(role)]
            facts += [bar, Piece(queue, "muted")] if queue else []
        self._facts, self._clock, self._trouble = tuple(facts), clock, trouble
        self.redraw()

    def lay_out(self, width: int, height: int) -> list[Line]:
        right: tuple[Piece, ...] = (Piece(f" {self._clock} "),)
        if self._trouble:
            right = (Piece(f" {clean(self._trouble)} ", "filled"), *right)
        if width_of(right) > width - LEAST:
            right = clip(right[:1], width - LEAST)
        return [spread(self._facts, right, width)]


class JoinedGauges(Lines):
    """Context, cost, health, files: as many whole facts as fit."""

    DEFAULT_CSS = "JoinedGauges { background: $background; }"

    _facts: Facts | None = None
    _health: tuple[int, str] | None = None
    _now = 0.0

    def show(self, facts: Facts, health: tuple[int, str] | None, now: float) -> None:
        self._facts, self._health, self._now = facts, health, now
        self.redraw()

    def lay_out(self, width: int, height: int) -> list[Line]:
        pieces: tuple[Piece, ...] = (Piece(" "),)
        if self._health is not None:
            score, said = self._health
            ink = "working" if score >= GOOD else "needs-you" if score >= FAIR else "error"
            pieces += (Piece("health ", "muted"), Piece(f"{score} {clean(said)}".rstrip(), ink))
            pieces += (Piece(f" {self.glyphs.separator} ", "muted"),)
        if self._facts is not None and self._facts.gauge is None and self._facts.tokens is None:
            pieces += (Piece("no figures yet", "muted"),)
        elif self._facts is not None:
            pieces += row_pieces(self._facts, self._now, width - width_of(pieces) - 1)
        return [Line(clip(pieces, width))]
