"""What was used, as a table for people, and the figures of now below it."""

from datetime import datetime, tzinfo

import msgspec

from agentdeck.cli.output import table
from agentdeck.usage.limits import Told
from agentdeck.usage.report import Usage


class Spent(msgspec.Struct, frozen=True):
    tokens: int
    cost_usd: float


class Burn(msgspec.Struct, frozen=True):
    """What an hour would use at the rate of the last quarter of one."""

    tokens_hour: float
    usd_hour: float


class Now(msgspec.Struct, frozen=True, kw_only=True):
    today: Spent
    week: Spent
    """Today and the six days before it."""
    burn: Burn
    limits: list[Told]


def bill(found: Usage, now: Now, by: str, zone: tzinfo | None = None) -> str:
    """The whole answer; `by` is day, session, model or project."""
    tokens = sum(session.tokens for session in found.sessions.values())
    lacking = sum(session.unpriced for session in found.sessions.values())
    head = (by, "tokens", "cost")
    foot = ("total", f"{tokens:,}", _cost(found.cost_usd, lacking, tokens))
    lines = [table([head, *_rows(found, by), foot], right=frozenset({1, 2}))]
    if found.hidden_cost_usd:
        hidden = _usd(sum(found.hidden_cost_usd.values()))
        lines.append(f"and {hidden} that Claude Code counted for calls it does not record")
    if found.unpriced:
        lines.append(f"unpriced: {', '.join(found.unpriced)}")
    if found.bad_lines:
        lines.append(f"{found.bad_lines:,} lines could not be read")
    lines.append(
        f"\ntoday {now.today.tokens:,} tokens, {_usd(now.today.cost_usd)} · 7 days {now.week.tokens:,} tokens,"
        f" {_usd(now.week.cost_usd)} · burning {_usd(now.burn.usd_hour)} an hour"
    )
    lines += [_limit(limit, zone) for limit in now.limits]
    return "\n".join(lines)


def _rows(found: Usage, by: str) -> list[tuple[str, str, str]]:
    if by == "model":
        totals = {
            name: t.input + t.cache_write_5m + t.cache_write_1h + t.cache_read + t.output
            for name, t in found.tokens.items()
        }
        return [
            (
                name,
                f"{total:,}",
                _usd(found.models[name]) if name in found.models else "unpriced" if total else _usd(0.0),
            )
            for name, total in totals.items()
        ]
    if by == "day":
        return [
            (day, f"{total:,}", _cost(found.day_costs[day], found.day_unpriced.get(day, 0), total))
            for day, total in found.days.items()
        ]
    sums = found.sessions if by == "session" else found.projects
    ordered = sorted(sums.items(), key=lambda item: -item[1].cost_usd)
    return [(name, f"{s.tokens:,}", _cost(s.cost_usd, s.unpriced, s.tokens)) for name, s in ordered]


def _limit(limit: Told, zone: tzinfo | None) -> str:
    parts = [f"{limit.provider} {limit.name}"]
    if limit.used_pct is not None:
        parts.append(f"{limit.used_pct:g}% used")
    if limit.estimated:
        parts.append(f"est. {limit.tokens or 0:,} tokens, {_usd(limit.cost_usd or 0.0)} so far")
    if limit.resets_at is not None:
        parts.append(f"resets {datetime.fromtimestamp(limit.resets_at, zone):%a %H:%M}")
    return "limit: " + ", ".join(parts)


def _cost(value: float, unpriced: int, tokens: int) -> str:
    """A cost that may be only a part of the whole says so."""
    if unpriced and unpriced == tokens:
        return "unpriced"
    return f"{_usd(value)} + unpriced" if unpriced else _usd(value)


def _usd(value: float) -> str:
    return f"${value:,.2f}"
