"""The first row of a wide deck: how many sessions are in which state, what the machine is doing, the time."""

from collections import Counter
from collections.abc import Sequence

from agentdeck.protocol.messages import HostUsage, Session
from agentdeck.ui.figures import memory, percent
from agentdeck.ui.widgets.lines import Line, Lines, Piece, spread
from agentdeck.ui.wording import ink_of

ORDER = ("needs_you", "working", "done", "idle", "limited", "exited", "error", "starting", "unknown")
"""What matters most comes first; states with no session are left out."""


class TopBar(Lines):
    DEFAULT_CSS = "TopBar { background: $panel; }"

    _sessions: tuple[Session, ...] = ()
    _host = HostUsage()
    _clock = ""

    def show(self, sessions: Sequence[Session], host: HostUsage, clock: str) -> None:
        self._sessions, self._host, self._clock = tuple(sessions), host, clock
        self.redraw()

    def lay_out(self, width: int, height: int) -> list[Line]:
        bar = Piece(f" {self.glyphs.separator} ", "muted")
        left = [Piece(" agentdeck", "accent")]
        if tally := self._tally():
            left += [bar, *tally]
        if self._host.memory_total:
            left += [bar, Piece("cpu ", "muted"), Piece(percent(self._host.cpu))]
            left += [Piece(" ram ", "muted"), Piece(memory(self._host.memory_used))]
        return [spread(tuple(left), (Piece(f" {self._clock} "),), width)]

    def _tally(self) -> list[Piece]:
        counts = Counter(self.glyphs.state(session.state) for session in self._sessions)
        inks: dict[str, str] = {}
        for state in ORDER:
            inks.setdefault(self.glyphs.state(state), state)
        pieces: list[Piece] = []
        for glyph, state in inks.items():
            if counts[glyph]:
                known = [session for session in self._sessions if self.glyphs.state(session.state) == glyph]
                ink = "filled" if state == "needs_you" else max((ink_of(session) for session in known), key=_loud)
                pieces += [Piece(" ")] if pieces else []
                pad = " " if ink == "filled" else ""
                pieces.append(Piece(f"{pad}{counts[glyph]}{glyph}{pad}", ink))
        return pieces


def _loud(ink: str) -> bool:
    return ink != "muted"
