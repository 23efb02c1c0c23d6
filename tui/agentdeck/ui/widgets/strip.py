"""The first row of a small deck: every session in one line, because there is no room for a sidebar."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message

from agentdeck.protocol.messages import Session
from agentdeck.ui import marks
from agentdeck.ui.figures import clean, cut
from agentdeck.ui.state import is_ours
from agentdeck.ui.widgets.lines import Line, Lines, Piece, spread, width_of
from agentdeck.ui.wording import ink_of

NAME_WIDTH = 14


class SessionStrip(Lines):
    DEFAULT_CSS = "SessionStrip { background: $panel; }"

    _sessions: tuple[Session, ...] = ()
    _selected = ""
    _clock = ""
    _spent = ""
    _first = 0
    _shared = ("", "")

    @dataclass
    class Picked(Message):
        """The person clicked on a session."""

        session: str

    def show(
        self, sessions: Sequence[Session], selected: str, clock: str = "", spent: str = "",
        shared: tuple[str, str] = ("", ""),
    ) -> None:  # fmt: skip
        """`spent` is what today has cost; `shared` says what is shared, and in which ink."""
        self._shared = shared
        self._sessions, self._selected, self._clock, self._spent = tuple(sessions), selected, clock, spent
        self.redraw()

    def lay_out(self, width: int, height: int) -> list[Line]:
        self._spans: list[tuple[int, int, str]] = []
        waiting = sum(session.state == "needs_you" for session in self._sessions)
        right = [Piece(f" {waiting} need{'s' if waiting == 1 else ''} you ", "needs-you")] if waiting else []
        if self._shared[0]:
            right.append(Piece(f" {self._shared[0].strip()} ", self._shared[1]))
        elif self._spent:
            right.append(Piece(f" {self._spent} ", "muted"))
        if self._clock:
            right.append(Piece(f" {self._clock} "))
        if width_of(right) > width // 2:
            right = right[-1:]
        if not self._sessions:
            return [spread((Piece(" no sessions", "muted"),), tuple(right), width)]
        chips = [self._chip(number, session) for number, session in enumerate(self._sessions, 1)]
        room = width - width_of(right) - 2
        self._first, last = _window([width_of(chip) for chip in chips], self._index(), self._first, room)
        x = 1
        left = [Piece(self.glyphs.before if self._first else " ", "muted")]
        for session, chip in list(zip(self._sessions, chips, strict=True))[self._first : last]:
            self._spans.append((x, x + width_of(chip), session.id))
            x += width_of(chip)
            left += chip
        left.append(Piece(self.glyphs.after if last < len(chips) else " ", "muted"))
        return [spread(tuple(left), tuple(right), width)]

    def _chip(self, number: int, session: Session) -> tuple[Piece, ...]:
        name = cut(clean(session.name), NAME_WIDTH, self.glyphs.ellipsis)
        glyph = self.glyphs.state(session.state)
        place = str(number) if is_ours(session) else marks.active().watched
        chosen = "strong selected" if session.id == self._selected else ""
        mark = self.glyphs.marked if session.marked else ""
        if session.state == "needs_you":
            inside: tuple[Piece, ...] = (Piece(f"{place}{glyph}{name}{mark}", "filled"),)
        else:
            inside = (
                Piece(place, chosen),
                Piece(glyph, f"{chosen} {ink_of(session)}"),
                Piece(name + mark, chosen),
            )
        if chosen:
            return (Piece("[", "strong"), *inside, Piece("]", "strong"))
        return (Piece(" "), *inside, Piece(" "))

    def _index(self) -> int:
        return next((i for i, session in enumerate(self._sessions) if session.id == self._selected), 0)

    def on_click(self, event: events.Click) -> None:
        for start, end, session in self._spans:
            if start <= event.x < end:
                self.post_message(self.Picked(session))


def _window(widths: Sequence[int], chosen: int, first: int, room: int) -> tuple[int, int]:
    """Return the first chip shown and the one after the last: moved as little as possible, `chosen` inside."""
    first = min(first, chosen)
    while first < chosen and sum(widths[first : chosen + 1]) > room:
        first += 1
    while first > 0 and sum(widths[first - 1 :]) <= room:
        first -= 1
    last = first + 1
    while last < len(widths) and sum(widths[first : last + 1]) <= room:
        last += 1
    return first, last
