"""How full contexts are and what they cost: words for one session, and a panel with a bar for each.

What is estimated says `est.`, what is not known is `?`, and tokens without a price are said to be unpriced.
"""

from collections.abc import Mapping

from agentdeck.protocol.facts import Facts, Gauge, Limit
from agentdeck.ui import marks
from agentdeck.ui.amounts import dollars, spent, tokens, when
from agentdeck.ui.figures import bar, clean, count, fit
from agentdeck.ui.glyphs import Glyphs, active
from agentdeck.ui.widgets.lines import Line, Piece, clip, spread, width_of
from agentdeck.ui.widgets.panel import Panel

WARN_AT, FULL_AT = 75, 90
"""Percent of the window from which a bar asks for attention, and from which it alarms."""
NAME_WIDTH = 10
BAR_WIDTH = 10
COSTS_FROM = 64
"""Cells from which each row has its session's cost."""


def ink_of(percent: float) -> str:
    return "error" if percent >= FULL_AT else "needs-you" if percent >= WARN_AT else "accent"


def bar_pieces(percent: float, width: int, glyphs: Glyphs) -> tuple[Piece, Piece]:
    drawn = bar(percent / 100, width, glyphs)
    full = drawn.count(glyphs.full)
    return Piece(drawn[:full], ink_of(percent)), Piece(drawn[full:], "muted")


def context(gauge: Gauge, width: int = BAR_WIDTH) -> tuple[Piece, ...]:
    """`▓▓▓▓▓▓▓░░░ 71% 182k/256k ≈38 turns`"""
    turns = f" {turns_left(gauge)}" if gauge.turns_left is not None else ""
    estimated = " est." if gauge.assumed else ""
    return (
        *bar_pieces(gauge.used_pct, width, active()),
        Piece(f" {gauge.used_pct:>2}%"),
        Piece(f" {tokens(gauge.used)}/{tokens(gauge.window)}{turns}{estimated}", "muted"),
    )


def turns_left(gauge: Gauge) -> str:
    if gauge.turns_left is None:
        return "?"
    return f"{marks.active().about}{count(gauge.turns_left, 'turn', 'turns')}"


def cost(facts: Facts) -> str:
    """What a session has cost, as far as it is known, with what only its CLI counted."""
    if facts.cost_usd == 0 and not facts.tokens and not facts.unpriced:
        return active().dash
    words = spent(facts.cost_usd, unpriced=facts.unpriced)
    return f"{words} +{dollars(facts.hidden_usd)} hidden" if facts.hidden_usd else words


def limit_pieces(limit: Limit, now: float) -> tuple[Piece, ...]:
    """`5h 78% → 16:10 est.`"""
    reset = f" {marks.active().leads} {when(limit.resets_at, now)}" if limit.resets_at is not None else ""
    estimated = " est." if limit.estimated else ""
    ink = ink_of(limit.used_pct)
    pieces = (Piece(f"{clean(limit.name)} ", "muted"), Piece(f"{limit.used_pct:.0f}%", "" if ink == "accent" else ink))
    return (*pieces, Piece(f"{reset}{estimated}", "muted"))


class TokenPanel(Panel):
    _facts: Mapping[str, Facts] = {}
    _names: Mapping[str, str] = {}
    _selected = ""
    _today: str = ""
    _now = 0.0

    def show(self, facts: Mapping[str, Facts], names: Mapping[str, str], selected: str, today: str, now: float) -> None:
        """`names` are those of the sessions to list, in their order. `today` is what all have spent, as words."""
        self._facts, self._names, self._selected, self._today = facts, names, selected, today
        self._now = now
        self.redraw()

    def heading(self, width: int) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        return (Piece("tokens", "strong"),), (Piece(self._today),) if self._today else ()

    def inside(self, width: int, height: int) -> list[Line]:
        detail = self._detail(width)
        if height < len(detail) + 1:
            detail = detail[: max(0, height - 1)]
        listed = [key for key in self._names if key in self._facts]
        if not listed:
            return [Line((Piece(" no transcript yet", "muted"),))]
        room = max(1, height - len(detail))
        place = listed.index(self._selected) if self._selected in listed else 0
        first = max(0, min(place - room + 1, len(listed) - room)) if place >= room else 0
        rows = [self._row(key, width) for key in listed[first : first + room]]
        return [*rows, *[Line()] * (room - len(rows)), *detail]

    def _row(self, key: str, width: int) -> Line:
        facts, chosen = self._facts[key], key == self._selected
        name = fit(clean(self._names[key]), NAME_WIDTH, self.glyphs.ellipsis)
        left = [Piece(self.glyphs.cursor if chosen else " ", "accent"), Piece(name, "strong" if chosen else "")]
        left.append(Piece(" "))
        if facts.gauge is None:
            left.append(Piece(f"{'?':>{BAR_WIDTH + 3}} {tokens(facts.tokens)} tokens in all", "muted"))
        else:
            left += context(facts.gauge, min(BAR_WIDTH, max(4, width - 40)))
        right = (Piece(f" {cost(facts)} "),) if width >= COSTS_FROM else ()
        return spread(tuple(left), right, width)._replace(fill="selected" if chosen else "")

    def _detail(self, width: int) -> list[Line]:
        facts = self._facts.get(self._selected)
        if facts is None:
            return []
        dot = Piece(f" {self.glyphs.dot} ", "muted")
        burn = f"{dollars(facts.burn_usd_hour)}/h"
        hits = "?" if facts.cache_hit_pct is None else f"{facts.cache_hit_pct}%"
        rows: list[list[tuple[Piece, ...]]] = [
            [(Piece("cost ", "muted"), Piece(cost(facts))), (Piece(burn),)],
            [
                (Piece("cache hits ", "muted"), Piece(hits)),
                (Piece(tokens(facts.tokens)), Piece(" tokens in all", "muted")),
            ],
        ]
        if facts.gauge is not None and facts.gauge.compact_at is not None:
            left = f"compacts at {tokens(facts.gauge.compact_at)}"
            turns = f", {turns_left(facts.gauge)} left" if facts.gauge.turns_left is not None else ""
            rows.append([(Piece(left + turns, "muted"),)])
        if facts.limits:
            rows.append([limit_pieces(limit, self._now) for limit in facts.limits])
        return [Line(clip(_joined(row, dot, width), width)) for row in rows]


def _joined(facts: list[tuple[Piece, ...]], dot: Piece, width: int) -> list[Piece]:
    """As many whole facts as fit, the first in any case."""
    pieces = [Piece(" "), *facts[0]]
    for fact in facts[1:]:
        if width_of([*pieces, dot, *fact]) > width:
            break
        pieces += [dot, *fact]
    return pieces
