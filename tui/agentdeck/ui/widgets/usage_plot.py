"""What was used, drawn: totals, a bar for each day, a row for each model and project. Pure: a report in, lines out."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

import msgspec

from agentdeck.protocol.facts import Limit
from agentdeck.ui.amounts import cost_of, dollars, model_name, tokens
from agentdeck.ui.figures import bar, clean, count, fit, short_path
from agentdeck.ui.glyphs import Glyphs, active
from agentdeck.ui.widgets.lines import Line, Piece, clip, spread, width_of
from agentdeck.ui.widgets.token_gauge import bar_pieces, limit_pieces

PERIODS: Final = (("today", 1), ("7 days", 7), ("30 days", 30))
CHART: Final = range(7, 19)
"""Rows of the bars."""
WIDE: Final = 120
"""Cells from which models and projects stand side by side."""
MOST_DAYS: Final = 90
BAR_MOST: Final = 40


class SessionTotal(msgspec.Struct, frozen=True):
    tokens: int = 0
    cost_usd: float = 0.0


class ModelTokens(msgspec.Struct, frozen=True):
    input: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cache_read: int = 0
    output: int = 0

    @property
    def all(self) -> int:
        return self.input + self.cache_write_5m + self.cache_write_1h + self.cache_read + self.output


class Report(msgspec.Struct, frozen=True):
    """The part of `agentdeck usage --json` that is drawn."""

    tokens: dict[str, ModelTokens] = {}
    cost_usd: float = 0.0
    days: dict[str, int] = {}
    day_costs: dict[str, float] = {}
    models: dict[str, float] = {}
    projects: dict[str, SessionTotal] = {}
    sessions: dict[str, SessionTotal] = {}
    unpriced: list[str] = []
    hidden_cost_usd: dict[str, float] = {}


def read(report: bytes) -> Report:
    """Raises `msgspec.DecodeError` when it is no report."""
    return msgspec.json.decode(report, type=Report)


class Total(NamedTuple):
    name: str
    tokens: int
    cost: float


def totals(report: Report, today: date) -> list[Total]:
    """The sums of the last days, today included."""
    found: list[Total] = []
    for name, days in PERIODS:
        span = {(today - timedelta(days=n)).isoformat() for n in range(days)}
        found.append(
            Total(
                name,
                sum(number for day, number in report.days.items() if day in span),
                sum(amount for day, amount in report.day_costs.items() if day in span),
            )
        )
    return found


def trend(report: Report, today: date, days: int = 7) -> tuple[float, ...]:
    """What each of the last days has cost, today last."""
    span = [today - timedelta(days=n) for n in reversed(range(days))]
    return tuple(report.day_costs.get(day.isoformat(), 0.0) for day in span)


def days_chart(values: Mapping[str, float], today: date, width: int, height: int) -> list[Line]:
    """Bars for as many days as fit, today at the right, with dates below."""
    signs = active()
    step = 3 if width >= 66 else 2
    shown = max(1, min(MOST_DAYS, (width - 2) // step))
    days = [today - timedelta(days=n) for n in reversed(range(shown))]
    heights = [values.get(day.isoformat(), 0.0) for day in days]
    most = max(heights) or 1.0
    lines = [_chart_row(heights, most, row, height, step, signs) for row in reversed(range(height))]
    axis = [" "] * (shown * step + 1)
    for n, day in enumerate(days):
        text = day.strftime("%d %b") if (shown - 1 - n) % 7 == 0 else ""
        at = n * step + 1 if n * step + 7 <= len(axis) else len(axis) - len(text)
        if text and at >= 0 and all(axis[x] == " " for x in range(max(0, at - 1), min(len(axis), at + len(text)))):
            axis[at : at + len(text)] = text
    return [*lines, Line((Piece("".join(axis), "muted"),))]


def _chart_row(heights: Sequence[float], most: float, row: int, height: int, step: int, signs: Glyphs) -> Line:
    text = " "
    for value in heights:
        eighths = value / most * height * len(signs.levels) - row * len(signs.levels)
        level = min(len(signs.levels), round(eighths))
        least = row == 0 and value > 0
        cell = signs.levels[max(level, 1) - 1] if level > 0 or least else " "
        text += cell * (step - 1) + " "
    return Line((Piece(text, "accent"),))


class Row(NamedTuple):
    name: str
    tokens: int
    cost: float
    priced: bool


def rows_of(report: Report, home: str) -> tuple[list[Row], list[Row]]:
    """Models and projects, the dearest first, then those with most tokens."""
    models = [
        Row(_model(name), used.all, report.models.get(name, 0.0), name in report.models)
        for name, used in report.tokens.items()
    ]
    projects = [
        Row(short_path(name, home), total.tokens, total.cost_usd, bool(total.cost_usd) or not report.unpriced)
        for name, total in report.projects.items()
    ]
    return sorted(models, key=_rank), sorted(projects, key=_rank)


def _model(name: str) -> str:
    provider, _, model = name.partition(":")
    return f"{provider} {model_name(model, provider)}" if model else name


def _rank(row: Row) -> tuple[float, int, str]:
    return -row.cost, -row.tokens, row.name


def table(title: str, rows: Sequence[Row], width: int, *, by_cost: bool, longest: int = 0) -> list[Line]:
    """A bar, tokens and cost for each row, under a title. `longest` is the name that the bars stand after."""
    signs = active()
    lines = [spread((Piece(f" {title}", "muted"),), (Piece(f"{'tokens':>6}{'cost':>10} ", "muted"),), width)]
    if not rows:
        return [*lines, Line((Piece(" nothing yet", "muted"),))]
    most = max((row.cost if by_cost else row.tokens) for row in rows) or 1.0
    numbers = 18
    longest = longest or max(len(row.name) for row in rows)
    name_width = max(8, min(longest, (width - numbers) * 3 // 5))
    bar_width = max(0, min(BAR_MOST, width - numbers - name_width - 3))
    for row in rows:
        share = (row.cost if by_cost else row.tokens) / most
        name = clean(row.name)
        label = fit(name if len(name) <= name_width else signs.ellipsis + name[1 - name_width :], name_width)
        drawn = bar(share, bar_width, signs)
        full = drawn.count(signs.full)
        price = dollars(row.cost) if row.priced else "unpriced"
        left = (Piece(f" {label} "), Piece(drawn[:full], "accent"), Piece(" " * (bar_width - full)))
        lines.append(spread(left, (Piece(f"{tokens(row.tokens):>6}", "muted"), Piece(f"{price:>10} ")), width))
    return lines


def page(
    report: Report,
    limits: Sequence[Limit],
    today: date,
    now: float,
    home: str,
    width: int,
    *,
    by_cost: bool,
    height: int = 0,
) -> list[Line]:
    """The whole of the usage screen, for a width. The chart grows to fill a higher one."""
    unpriced = bool(report.unpriced)
    lines = [Line(), Line(clip(_totals(report, today, unpriced), width)), Line()]
    what = "US$ by day" if by_cost else "tokens by day"
    values: Mapping[str, float] = report.day_costs if by_cost else report.days
    most = max(values.values(), default=0.0)
    peak = f"highest {dollars(most) if by_cost else tokens(int(most))} " if most else ""
    lines.append(spread((Piece(f" {what}", "muted"),), (Piece(peak, "muted"),), width))
    below = [*_tables(report, home, width, by_cost=by_cost), *_notes(report, limits, now, width)]
    room = height - len(lines) - len(below) - 2
    lines += [*days_chart(values, today, width, max(CHART[0], min(CHART[-1], room))), Line()]
    return [*lines, *below]


def _tables(report: Report, home: str, width: int, *, by_cost: bool) -> list[Line]:
    models, projects = rows_of(report, home)
    if width >= WIDE:
        half = (width - 3) // 2
        return _beside(
            table("models", models, half, by_cost=by_cost), table("projects", projects, half, by_cost=by_cost), half
        )
    longest = max((len(row.name) for row in (*models, *projects)), default=0)
    first = table("models", models, width, by_cost=by_cost, longest=longest)
    return [*first, Line(), *table("projects", projects, width, by_cost=by_cost, longest=longest)]


def _totals(report: Report, today: date, unpriced: bool) -> list[Piece]:
    pieces: list[Piece] = []
    for total in totals(report, today):
        pieces += [Piece(f" {total.name} ", "muted")]
        cost = cost_of(total.tokens, total.cost, unpriced=unpriced) if total.tokens else active().dash
        pieces += [Piece(cost, "strong"), Piece(f" {tokens(total.tokens)}  ", "muted")]
    everything = sum(report.days.values())
    return [
        *pieces,
        Piece(" ever ", "muted"),
        Piece(cost_of(everything, report.cost_usd, unpriced=unpriced) if everything else active().dash),
        Piece(f" {tokens(everything)}", "muted"),
    ]


def _beside(left: Sequence[Line], right: Sequence[Line], half: int) -> list[Line]:
    both: list[Line] = []
    for n in range(max(len(left), len(right))):
        one = left[n].pieces if n < len(left) else ()
        other = right[n].pieces if n < len(right) else ()
        both.append(Line((*one, Piece(" " * (half + 3 - width_of(one))), *other)))
    return both


def _notes(report: Report, limits: Sequence[Limit], now: float, width: int) -> list[Line]:
    lines: list[Line] = []
    if limits:
        lines += [Line(), Line((Piece(" limits", "muted"),))]
        for limit in limits:
            gauge = bar_pieces(limit.used_pct, 20, active())
            lines.append(Line(clip((Piece(" "), *gauge, Piece(" "), *limit_pieces(limit, now)), width)))
    hidden = sum(report.hidden_cost_usd.values())
    if hidden or report.unpriced:
        lines.append(Line())
    if hidden:
        where = count(len(report.hidden_cost_usd), "session", "sessions")
        said = f" hidden cost {dollars(hidden)}: {where} counted more than their transcripts show; not in the sums"
        lines.append(Line(clip((Piece(said, "needs-you"),), width)))
    if report.unpriced:
        models = ", ".join(map(clean, report.unpriced))
        lines.append(Line(clip((Piece(f" without a price, so in no sum of money: {models}", "needs-you"),), width)))
    return lines
