"""The row below a pane: how full its context is, what it costs, what its processes burn, how far it has come."""

from agentdeck.protocol.facts import Facts
from agentdeck.protocol.messages import Progress, Session, Usage
from agentdeck.ui.figures import bar, clean, count, memory, percent
from agentdeck.ui.widgets.lines import Line, Lines, Piece, width_of
from agentdeck.ui.widgets.token_gauge import changed_pieces, told_pieces
from agentdeck.ui.wording import over

GAUGE_WIDTH = 10


class GaugeRow(Lines):
    _session: Session | None = None
    _usage: Usage | None = None
    _facts: Facts | None = None

    def show(self, session: Session | None, usage: Usage | None, facts: Facts | None = None) -> None:
        """`facts` are what the session's transcript tells."""
        self._session, self._usage, self._facts = session, usage, facts
        self.redraw()

    def lay_out(self, width: int, height: int) -> list[Line]:
        """Facts that do not fit are left out from the right: a cut number would be a wrong number."""
        separator = Piece(f" {self.glyphs.separator} ", "muted")
        shown: list[Piece] = [Piece(" ")]
        for fact in self._words():
            more = [*((separator,) if len(shown) > 1 else ()), *fact]
            if width_of([*shown, *more]) > width:
                break
            shown += more
        return [Line(tuple(shown))]

    def _words(self) -> list[tuple[Piece, ...]]:
        session, usage = self._session, self._usage
        if session is None:
            return []
        facts: list[tuple[Piece, ...]] = []
        if session.progress.state:
            facts.append(self._progress(session.progress))
        told = self._facts
        if told is not None:
            facts += told_pieces(told)
        if told is not None and usage is not None and not over(session):
            facts.append((Piece("cpu ", "muted"), Piece(f"{percent(usage.cpu)} {memory(usage.rss)}")))
        if told is not None:
            return [*facts, *changed_pieces(told)]
        if over(session) or usage is None:
            return facts or [(Piece("nothing runs here", "muted"),)]
        gauge = self._gauge(usage.cpu / 100, "accent")
        facts.append((Piece("cpu ", "muted"), *gauge, Piece(f" {percent(usage.cpu):>4}")))
        facts.append((Piece("mem ", "muted"), Piece(memory(usage.rss))))
        facts.append((Piece(count(usage.processes, "process", "processes")),))
        if usage.busiest:
            facts.append((Piece(f"{clean(usage.busiest)} "), Piece(percent(usage.busiest_cpu), "muted")))
        facts.append((Piece(f"{count(usage.threads, 'thread', 'threads')} {usage.fds} fds", "muted"),))
        return facts

    def _progress(self, progress: Progress) -> tuple[Piece, ...]:
        if progress.state == 3:
            return (Piece("progress ", "muted"), Piece("busy", "working"))
        ink = {2: "error", 4: "muted"}.get(progress.state, "working")
        word = {2: " failed", 4: " paused"}.get(progress.state, "")
        gauge = self._gauge(progress.percent / 100, ink)
        return (Piece("progress ", "muted"), *gauge, Piece(f" {progress.percent}%{word}"))

    def _gauge(self, share: float, ink: str) -> tuple[Piece, Piece]:
        drawn = bar(share, GAUGE_WIDTH, self.glyphs)
        full = drawn.count(self.glyphs.full)
        return Piece(drawn[:full], ink), Piece(drawn[full:], "muted")
