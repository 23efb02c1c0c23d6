"""The rule above a pane: which session this is, and what it wants."""

import os

from agentdeck.protocol.messages import Session
from agentdeck.ui.figures import clean, duration, short_path
from agentdeck.ui.widgets.lines import Line, Lines, Piece, clip, width_of
from agentdeck.ui.wording import condition, ink_of

LEAST_FACTS = 12
"""Cells kept for the name and the provider before the condition is cut."""


class PaneTitle(Lines):
    _session: Session | None = None
    _number = 0
    _now = 0.0
    _mode = "deck"

    _corners = False

    def frame(self, on: bool) -> None:
        """Draw the ends as corners, because the pane below draws its sides. Counts from the next `show`."""
        self._corners = on

    def show(self, session: Session | None, number: int, now: float, mode: str) -> None:
        """`mode` is `typing` when this pane gets the keys; the rule is then drawn in the accent colour."""
        self._session, self._number, self._now, self._mode = session, number, now, mode
        self.redraw()

    def lay_out(self, width: int, height: int) -> list[Line]:
        typing = self._mode == "typing"
        frame = "accent" if typing else "muted"
        rule = self.glyphs.rule
        start, end = rule, rule
        if self._corners:
            start, end = self.glyphs.corners[0] + rule, rule + self.glyphs.corners[1]
        left: tuple[Piece, ...] = (Piece(start, frame),)
        right: tuple[Piece, ...] = (Piece(end, frame),)
        if self._session is not None:
            room = width - len(start + end) - 4  # blanks around the facts and around the condition
            wanted = self._condition(self._session)
            facts = self._facts(self._session, "accent" if typing else "strong")
            wanted = clip(wanted, max(0, room - min(width_of(facts), LEAST_FACTS)))
            facts = clip(facts, max(0, room - width_of(wanted)))
            left += (Piece(" "), *facts, Piece(" "))
            if wanted:
                right = (Piece(" "), *wanted, Piece(" "), *right)
        between = width - width_of(left) - width_of(right)
        return [Line(clip((*left, Piece(rule * max(0, between), frame), *right), width))]

    def _facts(self, session: Session, ink: str) -> tuple[Piece, ...]:
        dot = Piece(f" {self.glyphs.dot} ", "muted")
        where = short_path(clean(session.cwd), os.path.expanduser("~"), 40, self.glyphs.ellipsis)  # noqa: PTH111
        number = f"{self._number} " if self._number else ""
        name = Piece(f"{number}{clean(session.name)}", ink)
        return (name, dot, Piece(clean(session.provider), "muted"), dot, Piece(where, "muted"))

    def _condition(self, session: Session) -> tuple[Piece, ...]:
        ink = "filled" if session.state == "needs_you" else ink_of(session)
        since = f" {self.glyphs.dot} {duration(self._now - session.since)}" if session.since else ""
        said = f"{self.glyphs.state(session.state)} {condition(session)}"
        bells = f" {self.glyphs.bell}{session.bells}" if session.bells else ""
        return (Piece(said, ink), Piece(since + bells, ink))
