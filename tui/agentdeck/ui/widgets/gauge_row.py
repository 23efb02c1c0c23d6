"""The row below a pane: what its processes burn, and how far it says it has come."""

from agentdeck.protocol.messages import Progress, Session, Usage
from agentdeck.ui.figures import bar, clean, count, memory, percent
from agentdeck.ui.widgets.lines import Line, Lines, Piece, width_of
from agentdeck.ui.wording import over

GAUGE_WIDTH = 10


class GaugeRow(Lines):
    _session: Session | None = None
    _usage: Usage | None = None

    def show(self, session: Session | None, usage: Usage | None) -> None:
        self._session, self._usage = session, usage
        self.redraw()

    def lay_out(self, width: int, height: int) -> list[Line]:
        """Facts that do not fit are left out from the right: a cut number would be a wrong number."""
        separator = Piece(f" {self.glyphs.separator} ", "muted")
        shown: list[Piece] = [Piece(" ")]
        for fact in self._facts():
            more = [*((separator,) if len(shown) > 1 else ()), *fact]
            if width_of([*shown, *more]) > width:
                break
            shown += more
        return [Line(tuple(shown))]

    def _facts(self) -> list[tuple[Piece, ...]]:
        session, usage = self._session, self._usage
        if session is None:
            return []
        facts: list[tuple[Piece, ...]] = []
        if session.progress.state:
            facts.append(self._progress(session.progress))
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
