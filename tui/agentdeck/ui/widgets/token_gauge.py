"""How full contexts are and what they cost: words for one session, and a panel with a bar for each.

What is estimated says `est.`, what is not known is `?`, and tokens without a price are said to be unpriced.
"""

from collections.abc import Mapping

from agentdeck.protocol.facts import Facts, Gauge, Limit
from agentdeck.protocol.insight import Insight
from agentdeck.ui import insight_state, marks
from agentdeck.ui.amounts import UNKNOWN, dollars, spent, tokens, when
from agentdeck.ui.figures import bar, clean, count, fit
from agentdeck.ui.glyphs import Glyphs, active
from agentdeck.ui.widgets.lines import Line, Piece, clip, spread, width_of
from agentdeck.ui.widgets.panel import Panel

WARN_AT, FULL_AT = 75, 90
"""Percent of the window from which a bar asks for attention, and from which it alarms."""
NAME_WIDTH = 10
BAR_WIDTH = 10
SHORT = {"context": "ctx"}
COSTS_FROM = 64
"""Cells from which each row has its session's cost."""


def ink_of(percent: float) -> str:
    return "error" if percent >= FULL_AT else "needs-you" if percent >= WARN_AT else "accent"


def quiet_ink_of(percent: float) -> str:
    """The ink of the number beside a bar, which stands out only when it matters."""
    ink = ink_of(percent)
    return "" if ink == "accent" else ink


def bar_pieces(percent: float, width: int, glyphs: Glyphs) -> tuple[Piece, Piece]:
    least = 1 / width if percent > 0 and width else 0.0  # something is never nothing
    drawn = bar(max(percent / 100, least), width, glyphs)
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


def told_pieces(facts: Facts) -> list[tuple[Piece, ...]]:
    """A session's tokens and money for one row, what matters most first."""
    gauge = context(facts.gauge) if facts.gauge is not None else (Piece("?", "muted"),)
    told: list[tuple[Piece, ...]] = [(Piece("ctx ", "muted"), *gauge)]
    if facts.burn_usd_hour:
        told.append((Piece(f"{dollars(facts.burn_usd_hour)}/h"),))
    elif facts.tokens:
        told.append((Piece(cost(facts)),))
    return told


def row_pieces(facts: Facts, now: float, width: int) -> tuple[Piece, ...]:
    """As many whole facts about a session as fit into a row of this width."""
    told = told_pieces(facts)
    if facts.burn_usd_hour and facts.tokens:
        told.append((Piece(cost(facts)), Piece(" in all", "muted")))
    if facts.cache_hit_pct is not None:
        told.append((Piece("cache ", "muted"), Piece(f"{facts.cache_hit_pct}%")))
    told += [limit_pieces(limit, now) for limit in facts.limits]
    told += changed_pieces(facts)
    return tuple(_joined(told, Piece(f" {active().separator} ", "muted"), width, start=()))


def changed_pieces(facts: Facts) -> list[tuple[Piece, ...]]:
    """`2 files +18 −6`; nothing when it changed none."""
    if not facts.files:
        return []
    said = f" +{facts.added} {marks.active().minus}{facts.removed}"
    return [(Piece(count(facts.files, "file", "files")), Piece(said, "muted"))]


def limit_pieces(limit: Limit, now: float, *, short: bool = False) -> tuple[Piece, ...]:
    """`5h 78% → 16:10 est.`"""
    reset = ""
    if limit.resets_at is not None:
        reset = f" {marks.active().leads} {when(limit.resets_at, now, short=short)}"
    estimated = " est." if limit.estimated else ""
    pieces = (Piece(f"{clean(limit.name)} ", "muted"), Piece(f"{limit.used_pct:.0f}%", quiet_ink_of(limit.used_pct)))
    return (*pieces, Piece(f"{reset}{estimated}", "muted"))


class TokenPanel(Panel):
    _facts: Mapping[str, Facts] = {}
    _names: Mapping[str, str] = {}
    _selected = ""
    _today: str = ""
    _now = 0.0
    _insight: Insight | None = None

    def show(
        self,
        facts: Mapping[str, Facts],
        names: Mapping[str, str],
        selected: str,
        today: str,
        now: float,
        insight: Insight | None = None,
    ) -> None:
        """`names` are those of the sessions to list, in their order. `today` is what all have spent, as words.

        `insight` is what is concluded of the selected one.
        """
        self._facts, self._names, self._selected, self._today = facts, names, selected, today
        self._now, self._insight = now, insight
        self.redraw()

    def heading(self, width: int) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        return (Piece("tokens", "strong"),), (Piece(self._today),) if self._today else ()

    def inside(self, width: int, height: int) -> list[Line]:
        detail = [*self._health(width), *self._detail(width)]
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
        bar_width = min(BAR_WIDTH, max(4, width - 40))
        if facts.gauge is None:
            known = f" {tokens(facts.tokens)} tokens in all" if facts.tokens is not None else ""
            left.append(Piece(f"{UNKNOWN:>{bar_width + 4}}{known}", "muted"))
        else:
            left += context(facts.gauge, bar_width)
        right = (Piece(f" {cost(facts)} "),) if width >= COSTS_FROM else ()
        return spread(tuple(left), right, width)._replace(fill="selected" if chosen else "")

    def _health(self, width: int) -> list[Line]:
        """`health 86 · context 65 age 100 rest 100 errors 100`: the score is never shown without what it is made of."""
        insight = self._insight
        if insight is None or insight.score is None:
            return []
        ink = insight_state.STATUS_INKS.get(insight.status, "")
        pieces = [Piece(" health ", "muted"), Piece(str(insight.score), ink), Piece(f" {self.glyphs.dot}", "muted")]
        factors = insight_state.factors(insight)
        short = width_of(pieces) + sum(len(f" {name} {value}") for name, value in factors) > width
        for name, value in factors:
            word = SHORT.get(name, name) if short else name
            pieces += [Piece(f" {word} ", "muted"), Piece(str(value), "" if value >= 70 else ink)]
        return [Line(clip(pieces, width))]

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


def _joined(
    facts: list[tuple[Piece, ...]], dot: Piece, width: int, start: tuple[Piece, ...] = (Piece(" "),)
) -> list[Piece]:
    """As many whole facts as fit, the first in any case."""
    pieces = [*start, *facts[0]]
    for fact in facts[1:]:
        if width_of([*pieces, dot, *fact]) > width:
            break
        pieces += [dot, *fact]
    return pieces
