"""The first row of a wide deck: how many sessions are in which state, what the machine is doing, the time."""

from collections import Counter
from collections.abc import Sequence

from agentdeck.protocol.messages import HostUsage, Session
from agentdeck.ui.facts_state import Account
from agentdeck.ui.figures import clean, memory, percent
from agentdeck.ui.widgets.lines import Line, Lines, Piece, spread, width_of
from agentdeck.ui.widgets.token_gauge import quiet_ink_of
from agentdeck.ui.wording import ink_of

NO_ACCOUNT = Account()

ORDER = ("needs_you", "working", "done", "idle", "limited", "exited", "error", "starting", "unknown")
"""What matters most comes first; states with no session are left out."""


class TopBar(Lines):
    DEFAULT_CSS = "TopBar { background: $panel; }"

    _sessions: tuple[Session, ...] = ()
    _host = HostUsage()
    _clock = ""
    _account = NO_ACCOUNT
    _shared = ("", "")

    def show(
        self, sessions: Sequence[Session], host: HostUsage, clock: str, account: Account = NO_ACCOUNT,
        shared: tuple[str, str] = ("", ""),
    ) -> None:  # fmt: skip
        """`shared` says what is shared, and in which ink."""
        self._sessions, self._host, self._clock, self._account = tuple(sessions), host, clock, account
        self._shared = shared
        self.redraw()

    def lay_out(self, width: int, height: int) -> list[Line]:
        bar = Piece(f" {self.glyphs.separator} ", "muted")
        left = [Piece(" agentdeck", "accent")]
        if tally := self._tally():
            left += [bar, *tally]
        if self._shared[0]:
            left += [bar, Piece(*self._shared)]
        if self._host.memory_total:
            left += [bar, Piece("cpu ", "muted"), Piece(percent(self._host.cpu))]
            left += [Piece(" ram ", "muted"), Piece(memory(self._host.memory_used))]
        for fact in self._costs():
            if width_of([*left, bar, *fact]) + len(self._clock) + 2 <= width:
                left += [bar, *fact]
        return [spread(tuple(left), (Piece(f" {self._clock} "),), width)]

    def _costs(self) -> list[tuple[Piece, ...]]:
        facts: list[tuple[Piece, ...]] = []
        if self._account.today:
            facts.append((Piece(self._account.today), Piece(" today", "muted")))
        if self._account.limits:
            fullest = self._account.limits[0]
            said = f"{fullest.used_pct:.0f}%{' est.' if fullest.estimated else ''}"
            facts.append((Piece(f"{clean(fullest.name)} limit ", "muted"), Piece(said, quiet_ink_of(fullest.used_pct))))
        return facts

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
