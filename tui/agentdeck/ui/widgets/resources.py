"""What the sessions' processes burn: a row for each session, the chosen one in full, the machine in total."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agentdeck.protocol.insight import Server
from agentdeck.protocol.messages import HostUsage, Session, Usage
from agentdeck.ui.figures import clean, count, fit, memory, percent, sparkline
from agentdeck.ui.widgets.lines import Line, Lines, Piece, clip, spread

NOTHING = Usage()


class Column(NamedTuple):
    """A column and the width of the panel from which it is shown."""

    title: str
    width: int
    since: int


NAME_WIDTH = 12
"""Cells for the number and the name."""
COLUMNS = (
    Column("cpu", 5, 0),
    Column("mem", 5, 0),
    Column("procs", 6, 34),
    Column("thr", 5, 60),
    Column("fds", 5, 60),
)
SPARK_FROM, SPARK_WIDTH = 44, 8
BUSIEST_FROM = 30
DETAIL_FROM_HEIGHT = 8


class ResourcePanel(Lines):
    DEFAULT_CSS = """
    ResourcePanel {
        height: 1fr;
        border: solid $border-blurred;
        border-title-color: $foreground-muted;
        border-subtitle-color: $foreground-muted;
        &.-plain { border: ascii $border-blurred; }
        &.-current { border: solid $primary; border-title-color: $primary; }
        &.-plain.-current { border: ascii $primary; }
    }
    """

    _session: Session | None = None
    _usages: Mapping[str, Usage] = {}
    _history: Mapping[str, Sequence[float]] = {}
    _host = HostUsage()
    _names: Mapping[str, str] = {}
    _servers: Sequence[Server] = ()

    def on_mount(self) -> None:
        self.border_title = "resources"
        self.set_class(self.glyphs.border == "ascii", "-plain")

    def show(
        self,
        session: Session | None,
        usages: Mapping[str, Usage],
        history: Mapping[str, Sequence[float]],
        host: HostUsage,
        names: Mapping[str, str],
        servers: Sequence[Server] = (),
    ) -> None:
        """`history` is CPU percent per session, oldest first. `names` are those of all sessions in the deck's order:
        their place is their number. `servers` are the session's own, the largest first.
        """
        self._session, self._usages, self._host, self._names = session, usages, host, names
        self._servers = tuple(servers)
        self._history = {key: tuple(values) for key, values in history.items()}
        self.redraw()

    def lay_out(self, width: int, height: int) -> list[Line]:
        detail = self._detail(width) if height >= DETAIL_FROM_HEIGHT else []
        last = [*self._served(width), self._total(width)]
        gap = [Line()] if detail else []
        room = height - len(last) - len(detail) - len(gap) - 1
        names = [key for key in self._names if key in self._usages]
        rows = [self._row(key, width) for key in self._window(names, room)]
        hidden = len(names) - len(rows)
        table = [self._titles(width, hidden), *rows] if names else [Line((Piece(" nothing runs", "muted"),))]
        above = [*table, *gap, *detail][: height - len(last)]
        return [*above, *[Line()] * max(0, height - len(above) - len(last)), *last]

    def _window(self, names: list[str], room: int) -> list[str]:
        chosen = self._session.id if self._session else ""
        place = names.index(chosen) if chosen in names else 0
        first = max(0, min(place - room + 1, len(names) - room)) if place >= room else 0
        return names[first : first + max(0, room)]

    def _columns(self, width: int) -> list[Column]:
        return [column for column in COLUMNS if width >= column.since]

    def _titles(self, width: int, hidden: int) -> Line:
        spark = " " * (SPARK_WIDTH + 1) if width >= SPARK_FROM else ""
        text = " " * (NAME_WIDTH + 1) + spark + "".join(f"{c.title:>{c.width}}" for c in self._columns(width))
        busiest = "  busiest" if width >= BUSIEST_FROM else ""
        more = (Piece(f" +{hidden} ", "muted"),) if hidden else ()
        return spread((Piece(text + busiest, "muted"),), more, width)

    def _row(self, key: str, width: int) -> Line:
        usage = self._usages[key]
        chosen = self._session is not None and key == self._session.id
        cursor = self.glyphs.cursor if chosen else " "
        number = f"{list(self._names).index(key) + 1} "
        name = fit(clean(self._names[key]), NAME_WIDTH - len(number), self.glyphs.ellipsis)
        pieces = [Piece(cursor, "accent"), Piece(number, "muted"), Piece(name, "strong" if chosen else "")]
        if width >= SPARK_FROM:
            pieces.append(Piece(" " + sparkline(self._history.get(key, ()), SPARK_WIDTH, self.glyphs), "accent"))
        values = {
            "cpu": percent(usage.cpu), "mem": memory(usage.rss), "procs": str(usage.processes),
            "thr": str(usage.threads), "fds": str(usage.fds),
        }  # fmt: skip
        pieces += [Piece(f"{values[c.title]:>{c.width}}") for c in self._columns(width)]
        if width >= BUSIEST_FROM:
            pieces.append(Piece(f"  {clean(usage.busiest) or self.glyphs.dash}", "" if usage.busiest else "muted"))
        return Line(clip(pieces, width), "selected" if chosen else "")

    def _detail(self, width: int) -> list[Line]:
        if self._session is None or self._session.id not in self._usages:
            return []
        usage, dot = self._usages[self._session.id], f" {self.glyphs.dot} "
        facts = [count(usage.processes, "process", "processes"), count(usage.threads, "thread", "threads")]
        facts.append(count(usage.fds, "descriptor", "descriptors"))
        busiest = f"{clean(usage.busiest)} {percent(usage.busiest_cpu)}" if usage.busiest else "all at rest"
        history = self._history.get(self._session.id, ())
        chart = sparkline(history, max(0, width - 2), self.glyphs)
        name = Piece(f" {clean(self._session.name)}", "strong")
        load = Piece(f"cpu {percent(usage.cpu)}{dot}mem {memory(usage.rss)} ")
        return [
            spread((name, Piece(dot, "muted"), Piece(f"busiest: {busiest}")), (load,), width),
            Line(clip((Piece(" " + dot.join(facts), "muted"),), width)),
            Line(clip((Piece(f" {chart}", "accent"),), width)),
        ]

    def _served(self, width: int) -> list[Line]:
        """`mcp: github 88M · playwright 412M`; one that grows and grows stands out."""
        if not self._servers:
            return []
        pieces = [Piece(" mcp: ", "muted")]
        for n, server in enumerate(self._servers):
            ink = "needs-you" if server.growing else ""
            pieces += [Piece(f" {self.glyphs.dot} " if n else "", "muted")]
            pieces += [Piece(f"{clean(server.name)} {memory(server.rss)}", ink)]
        return [Line(clip(pieces, width))]

    def _total(self, width: int) -> Line:
        host = self._host
        left = [Piece(" machine ", "muted"), Piece(f"cpu {percent(host.cpu)}")]
        if host.memory_total:
            left.append(Piece(f"  ram {memory(host.memory_used)} of {memory(host.memory_total)}"))
        return spread(tuple(left), (Piece(f"load {host.load:.1f} ", "muted"),), width)
