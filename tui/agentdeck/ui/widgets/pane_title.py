"""The rule above a pane: which session this is, and what it wants."""

import os

from agentdeck.protocol.insight import Insight
from agentdeck.protocol.messages import Session
from agentdeck.ui import insight_state, marks
from agentdeck.ui.amounts import minutes, model_name
from agentdeck.ui.figures import clean, duration, short_path
from agentdeck.ui.state import is_ours
from agentdeck.ui.widgets.lines import Line, Lines, Piece, clip, width_of
from agentdeck.ui.wording import condition, ink_of

LEAST_FACTS = 12
"""Cells kept for the name and the provider before the condition is cut."""


class PaneTitle(Lines):
    _session: Session | None = None
    _number = 0
    _now = 0.0
    _mode = "deck"
    _model = ""
    _insight: Insight | None = None

    _corners = False

    def frame(self, on: bool) -> None:
        """Draw the ends as corners, because the pane below draws its sides. Counts from the next `show`."""
        self._corners = on

    def show(
        self,
        session: Session | None,
        number: int,
        now: float,
        mode: str,
        model: str = "",
        insight: Insight | None = None,
    ) -> None:
        """`mode` is `typing` when this pane gets the keys; the rule is then drawn in the accent colour."""
        self._session, self._number, self._now, self._mode, self._model = session, number, now, mode, model
        self._insight = insight
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
            wanted = (*self._alert(room - width_of(facts) - width_of(wanted)), *wanted)
            wanted = clip(wanted, max(0, room - min(width_of(facts), LEAST_FACTS)))
            facts = clip(facts, max(0, room - width_of(wanted)))
            left += (Piece(" "), *facts, Piece(" "))
            if wanted:
                right = (Piece(" "), *wanted, Piece(" "), *right)
        between = width - width_of(left) - width_of(right)
        return [Line(clip((*left, Piece(rule * max(0, between), frame), *right), width))]

    def _alert(self, room: int) -> tuple[Piece, ...]:
        """What is wrong with it: with its evidence where there is room, else in a word."""
        word = insight_state.word(self._insight)
        if self._insight is None or not word:
            return ()
        said = self._insight.alerts[0].evidence if self._insight.alerts else word
        dot, sign = f" {self.glyphs.dot} ", marks.active().alert
        for words in (clean(said), word):
            pieces = (Piece(f"{sign} {words}", "needs-you"), Piece(dot, "muted"))
            if width_of(pieces) <= room:
                break
        return pieces

    def _facts(self, session: Session, ink: str) -> tuple[Piece, ...]:
        dot = Piece(f" {self.glyphs.dot} ", "muted")
        where = short_path(clean(session.cwd), os.path.expanduser("~"), 40, self.glyphs.ellipsis)  # noqa: PTH111
        number = f"{self._number} " if self._number else ""
        name = Piece(f"{number}{clean(session.name)}", ink)
        who = f"{session.provider} {model_name(self._model, session.provider)}".rstrip()
        place = (dot, Piece(where, "muted")) if where else ()
        return (name, dot, Piece(clean(who), "muted"), *place)

    def _condition(self, session: Session) -> tuple[Piece, ...]:
        ink = "filled" if session.state == "needs_you" else ink_of(session)
        since = f" {self.glyphs.dot} {duration(self._now - session.since)}" if session.since else ""
        if not is_ours(session):
            return self._seen_only(session, ink)
        said = f"{self.glyphs.state(session.state)} {condition(session)}"
        bells = f" {self.glyphs.bell}{session.bells}" if session.bells else ""
        return (Piece(said, ink), Piece(since + bells, ink))

    def _seen_only(self, session: Session, ink: str) -> tuple[Piece, ...]:
        """It was started elsewhere: its age needs no seconds, and its state is what its transcript tells."""
        if session.state == "unknown":
            return (Piece(f"{marks.active().watched} from its transcript", "muted"),)
        dot = f" {self.glyphs.dot} "
        age = f"{dot}{minutes(self._now - session.since)}" if session.since else ""
        return (Piece(f"{marks.active().watched} watching", "muted"), Piece(f"{dot}{session.state}{age}", ink))
