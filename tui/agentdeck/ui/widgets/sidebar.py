"""The list of sessions: those that need somebody first, then all of them by directory, in an order that stays.

Rows never move because a state changed; what needs you is repeated at the top instead.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from types import MappingProxyType

from rich.cells import cell_len
from textual import events
from textual.message import Message

from agentdeck.protocol.facts import Facts
from agentdeck.protocol.messages import Session, Usage
from agentdeck.ui import marks
from agentdeck.ui.amounts import minutes
from agentdeck.ui.facts_state import Account
from agentdeck.ui.figures import clean, cut, duration, exit_words, fit, memory, percent, short_path, sparkline
from agentdeck.ui.glyphs import Glyphs
from agentdeck.ui.insight_state import InsightState, age, known_as, word
from agentdeck.ui.state import by_directory, matches
from agentdeck.ui.widgets.lines import Line, Lines, Piece, clip, line, spread, width_of
from agentdeck.ui.widgets.token_gauge import bar_pieces, limit_pieces, quiet_ink_of
from agentdeck.ui.wording import activity, ink_of, over

ROOMY = 22
"""Cells from which a row has two numbers at its right; a narrower one keeps the first."""
GAUGE = range(4, 9)
"""Cells of a context's bar."""
LIMIT_BAR, LIMITS = 6, 3
INITIALS = 2
"""Characters of a watched session's provider, where conversations have titles."""
CONFLICTS = 3
"""Files that are told of at once; the card of a session has its own."""
NO_INSIGHT = InsightState()
NO_ACCOUNT = Account()
NO_FACTS: Mapping[str, Facts] = MappingProxyType({})


def groups(sessions: Sequence[Session]) -> list[tuple[str, list[Session]]]:
    """Sessions by directory, in order of each directory's first session, with a name that tells them apart."""
    found = by_directory(sessions)
    names = [PurePath(directory).name or "/" for directory in found]
    return [
        (name if names.count(name) == 1 else "/".join(PurePath(directory).parts[-2:]), members)
        for name, (directory, members) in zip(names, found.items(), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Row:
    line: Line
    session: str = ""
    """Whose row this is; empty for headings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Lays the whole list out, however long; the widget shows a window of it."""

    sessions: tuple[Session, ...]
    selected: str
    usages: Mapping[str, Usage]
    now: float
    filter: str
    width: int
    glyphs: Glyphs
    facts: Mapping[str, Facts] = field(default_factory=dict)
    watched: tuple[Session, ...] = ()
    account: Account = NO_ACCOUNT
    insight: InsightState = NO_INSIGHT

    def rows(self) -> Iterator[Row]:
        for row in self._rows():
            yield replace(row, line=row.line._replace(pieces=clip(row.line.pieces, self.width, self.glyphs.ellipsis)))

    def _rows(self) -> Iterator[Row]:
        if not self.sessions:
            yield Row(line(Piece(" no sessions yet", "muted")))
        else:
            yield from self._ours()
        yield from self._watching()
        yield from self._conflicts()
        yield from self._account()

    def _ours(self) -> Iterator[Row]:
        numbers = {session.id: number for number, session in enumerate(self.sessions, 1)}
        shown = [session for session in self.sessions if matches(session, self.filter)]
        if self.filter:
            yield Row(self._heading(f"/{clean(self.filter)}", f"{len(shown)} of {len(self.sessions)}", "accent"))
        if waiting := sorted((s for s in shown if s.state == "needs_you"), key=lambda session: session.since):
            yield Row(self._heading("NEEDS YOU", str(len(waiting)), "needs-you"))
            yield from (self._waiting(session, numbers[session.id]) for session in waiting)
            yield Row(line())
        yield Row(self._heading("SESSIONS", str(len(shown))))
        if not shown:
            yield Row(line(Piece(" nothing matches", "muted")))
        for name, members in groups(shown):
            yield Row(
                line(Piece(cut(f" {self.glyphs.group} {clean(name)}", self.width, self.glyphs.ellipsis), "muted"))
            )
            for session in members:
                yield from self._session(session, numbers[session.id])

    def _watching(self) -> Iterator[Row]:
        shown = [session for session in self.watched if matches(session, self.filter)]
        if not shown:
            return
        yield Row(line())
        yield Row(self._heading("WATCHING", str(len(shown))))
        titled = any(clean(session.title).strip() for session in shown)
        for session in shown:
            chosen = session.id == self.selected
            since = minutes(self.now - session.since) if session.since else ""
            right = (
                *self._sign(session),
                Piece(f" {self.glyphs.state(session.state)}", ink_of(session)),
                Piece(f" {since:>3} ", "muted"),
            )
            provider = clean(session.provider)
            provider = provider[:INITIALS] if titled else provider
            room = max(4, self.width - width_of(right) - cell_len(provider) - 4)
            left = (
                Piece(self.glyphs.cursor if chosen else " ", "accent"),
                Piece(f"{marks.active().watched} ", "muted"),
                Piece(provider, "strong" if chosen else "" if not titled else "muted"),
                Piece(f" {self._known_by(session, room)}", "" if titled else "muted"),
            )
            yield Row(spread(left, right, self.width)._replace(fill="selected" if chosen else ""), session.id)

    def _known_by(self, session: Session, room: int) -> str:
        """The title of its conversation, where it has one: many run in one directory."""
        if title := " ".join(clean(session.title).split()):
            return cut(title, room, self.glyphs.ellipsis)
        where = short_path(clean(session.cwd), str(Path.home()))
        return where if cell_len(where) <= room else cut(PurePath(where).name, room, self.glyphs.ellipsis)

    def _conflicts(self) -> Iterator[Row]:
        """Files that several sessions have changed."""
        known = {session.id: session for session in (*self.sessions, *self.watched)}
        shown = [each for each in self.insight.conflicts if any(key in known for key in each.sessions)]
        for n, conflict in enumerate(shown[:CONFLICTS]):
            if not n:
                yield Row(line())
            last = next((key for key in reversed(conflict.sessions) if key in known), "")
            name = clean(PurePath(conflict.path).name)
            sign = Piece(f" {marks.active().alert} CONFLICT ", "needs-you")
            yield Row(line(sign, cut(name, self.width - width_of((sign,)) - 1, self.glyphs.ellipsis)), last)
            met = age(self.now - conflict.at)
            room = max(4, self.width - len(met) - 7)
            names = [clean(known_as(known[key])) if key in known else key for key in conflict.sessions]
            each = max(3, (room + 3) // len(names) - 3)
            if cell_len(who := " + ".join(names)) > room:
                who = cut(" + ".join(cut(name, each, self.glyphs.ellipsis) for name in names), room)
            yield Row(line(Piece(f"    {who}, {met}", "muted")), last)

    def _sign(self, session: Session) -> tuple[Piece, ...]:
        """A mark for a session with which something is wrong."""
        wrong = word(self.insight.known.get(session.id))
        return (Piece(f" {marks.active().alert}", "needs-you"),) if wrong else ()

    def _account(self) -> Iterator[Row]:
        if self.account.today:
            trend = self.account.trend
            several = sum(map(bool, trend)) > 1
            chart = sparkline(trend, len(trend), self.glyphs, max(trend)) if several else ""
            yield Row(line())
            yield Row(line(f" {self.account.today}", Piece(" today ", "muted"), Piece(chart, "accent")))
        elif self.account.limits:
            yield Row(line())
        shown = self.account.limits[:LIMITS]
        names = max((cell_len(clean(limit.name)) for limit in shown), default=0)
        figures = [limit_pieces(limit, self.now, short=True)[1:] for limit in shown]
        room = min((LIMIT_BAR, *(self.width - names - width_of(pieces) - 4 for pieces in figures)))
        for limit, (used, *rest) in zip(shown, figures, strict=True):
            used = used._replace(text=f" {used.text:>3}")
            gauge = bar_pieces(limit.used_pct, room, self.glyphs) if room >= 3 else ()
            name = fit(clean(limit.name), names, self.glyphs.ellipsis)
            yield Row(line(Piece(f" {name} ", "muted"), *gauge, used, *rest))

    @property
    def _gauge_width(self) -> int:
        """The same for all rows, so that bars stand under each other; long names make them shorter."""
        widths = (cell_len(clean(session.name)) + width_of(self._sign(session)) for session in self.sessions)
        longest = max(widths, default=0)
        return max(GAUGE[0], min(GAUGE[-1], self.width - longest - 12))

    def _heading(self, name: str, number: str, ink: str = "muted") -> Line:
        return spread((Piece(f" {name}", ink),), (Piece(f"{number} ", ink),), self.width)

    def _waiting(self, session: Session, number: int) -> Row:
        label = f" {self.glyphs.state(session.state)}{number} {clean(session.name)}"
        asked = clean(session.status.message or session.status.kind)
        age = f" {duration(self.now - session.since)} "
        room = self.width - len(age) - 1
        name = cut(label, room, self.glyphs.ellipsis)
        asks = fit(f" {asked}", self.width - len(age) - len(name), self.glyphs.ellipsis)
        return Row(line(name + asks + age, fill="filled"), session.id)

    def _session(self, session: Session, number: int) -> Iterator[Row]:
        chosen = session.id == self.selected
        fill = "selected" if chosen else ""
        left = (
            Piece(self.glyphs.cursor if chosen else " ", "accent"),
            Piece(self.glyphs.state(session.state), ink_of(session)),
            Piece(f"{number} ", "muted"),
            Piece(clean(session.name), "strong" if chosen else ""),
            *((Piece(f" {self.glyphs.marked}", "accent"),) if session.marked else ()),
            *((Piece(f" {self.glyphs.bell}", "needs-you"),) if session.bells else ()),
            *self._sign(session),
        )
        yield Row(spread(left, self._right(session), self.width)._replace(fill=fill), session.id)
        if second := self._second(session):
            what, when, ink = second
            pair = (Piece(f"    {what}", ink),), (Piece(f" {when} ", "muted"),)
            yield Row(spread(*pair, self.width)._replace(fill=fill), session.id)

    def _right(self, session: Session) -> tuple[Piece, ...]:
        facts = self.facts.get(session.id)
        if facts is None or facts.gauge is None or over(session):
            return (Piece(f" {self._figures(session)} ", "muted"),)
        used = facts.gauge.used_pct
        gauge = bar_pieces(used, self._gauge_width, self.glyphs) if self.width >= ROOMY else ()
        return (Piece(" "), *gauge, Piece(f" {used:>3}% ", quiet_ink_of(used) or "muted"))

    def _figures(self, session: Session) -> str:
        age = duration(self.now - (session.ended or session.since)) if session.ended or session.since else ""
        if over(session):
            words = exit_words(session.exit_status) if session.state == "exited" else "failed"
            return f"{words} {age:>4}".rstrip() if self.width >= ROOMY else words
        usage = self.usages.get(session.id)
        if session.state != "working" or usage is None:
            return age
        cpu = f"{percent(usage.cpu):>4}"
        return f"{cpu} {memory(usage.rss):>4}" if self.width >= ROOMY else cpu

    def _second(self, session: Session) -> tuple[str, str, str] | None:
        """What it does, since when, and the ink; None for the states that one line says all about."""
        if session.idle_stop is not None and not over(session):
            return "idle: stops in", duration(session.idle_stop - self.now), "needs-you"
        if session.state == "working":
            usage, facts = self.usages.get(session.id), self.facts.get(session.id)
            if facts is not None and facts.doing and facts.doing_since and not session.status.title:
                return clean(facts.doing), duration(self.now - facts.doing_since), "muted"
            age = duration(self.now - session.since) if session.since else ""
            return activity(session, usage.busiest if usage else ""), age, "muted"
        return None


class Sidebar(Lines):
    DEFAULT_CSS = """
    Sidebar {
        width: 26;
        height: 1fr;
        border: solid $border-blurred;
        border-title-color: $foreground-muted;
        border-title-align: left;
        &.-plain { border: ascii $border-blurred; }
        &.-current { border: solid $primary; border-title-color: $primary; }
        &.-plain.-current { border: ascii $primary; }
    }
    """

    @dataclass
    class Picked(Message):
        """The person clicked on a session's row."""

        session: str

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.border_title = "deck"
        self._listing: Listing | None = None
        self._shown: list[Row] = []
        self._top = 0
        self._followed = ""

    def on_mount(self) -> None:
        self.set_class(self.glyphs.border == "ascii", "-plain")

    def show(
        self,
        sessions: Sequence[Session],
        selected: str,
        usages: Mapping[str, Usage],
        now: float,
        filter: str,
        *,
        facts: Mapping[str, Facts] = NO_FACTS,
        watched: Sequence[Session] = (),
        account: Account = NO_ACCOUNT,
        insight: InsightState = NO_INSIGHT,
    ) -> None:
        """`sessions` are all of ours, oldest first: their place is their number. `filter` hides, it never renumbers.

        `watched` are those that were started elsewhere; `facts` are what transcripts tell of any of them,
        and `insight` is what is concluded of them.
        """
        self._listing = Listing(
            sessions=tuple(sessions), selected=selected, usages=dict(usages), now=now, filter=filter,
            facts=dict(facts), watched=tuple(watched), account=account, insight=insight, width=0, glyphs=self.glyphs,
        )  # fmt: skip
        self.redraw()

    def lay_out(self, width: int, height: int) -> list[Line]:
        if self._listing is None:
            return []
        rows = list(replace(self._listing, width=width, glyphs=self.glyphs).rows())
        follow = self._listing.selected if self._listing.selected != self._followed else ""
        self._followed = self._listing.selected
        self._top = _scrolled(rows, height, self._top, follow)
        self._shown = rows[self._top : self._top + height]
        lines = [row.line for row in self._shown]
        if lines and self._top:
            lines[0] = self._more(self.glyphs.above, self._top + 1, width)
        if lines and (below := len(rows) - self._top - height) > 0:
            lines[-1] = self._more(self.glyphs.below, below + 1, width)
        return lines

    def _more(self, sign: str, hidden: int, width: int) -> Line:
        return spread((), (Piece(f"{sign} {hidden} more ", "muted"),), width)

    def on_resize(self, event: events.Resize) -> None:
        self._followed = ""
        super().on_resize(event)

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is not None and place.y < len(self._shown) and (session := self._shown[place.y].session):
            self.post_message(self.Picked(session))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._scroll(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._scroll(event, -1)

    def _scroll(self, event: events.MouseEvent, by: int) -> None:
        event.stop()
        self._top += by
        self.redraw()


def _scrolled(rows: Sequence[Row], height: int, top: int, follow: str) -> int:
    """Return the first row of the window: moved as little as possible, with the rows of `follow` inside.

    A row at an edge of the window may be covered by the count of hidden rows, so one row of air is kept.
    """
    if follow:
        own = [y for y, row in enumerate(rows) if row.session == follow][-2:]
        if len(own) == 2 and own[1] - own[0] != 1:
            own = own[1:]
        if own:
            if own[0] <= top:
                top = own[0] - 1 if own[0] > 1 else 0
            elif own[-1] >= top + height - 1:
                top = own[-1] - height + 2
    return max(0, min(top, len(rows) - height))
