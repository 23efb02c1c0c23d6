"""Answers from the ledger: what was used, by whom, when, for how much."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, Final, NamedTuple

import msgspec

from agentdeck.usage import claude, codex, context, gemini
from agentdeck.usage.context import Gauge
from agentdeck.usage.ledger import Ledger
from agentdeck.usage.prices import Prices

QUARTER: Final = 15 * 60 * 1000
"""Milliseconds; every time zone's days begin on a quarter of an hour."""

QUARTERS: Final = 2**30
"""More than there are in all the years that a time may be of; a power of two."""

HIDDEN_LEAST: Final = 1e-6
"""USD; a smaller difference between the CLI's count and ours is rounding."""


class Tokens(msgspec.Struct):
    input: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cache_read: int = 0
    output: int = 0
    reasoning: int = 0
    web_search: int = 0


class SessionTotal(msgspec.Struct, omit_defaults=True):
    tokens: int
    cost_usd: float
    unpriced: int = 0
    """Tokens without a price; the cost is that of the others."""


class ContextTotal(msgspec.Struct, omit_defaults=True):
    used_tokens: int
    window: int
    used_pct: int
    compact_at: int | None = None
    pct_left: int | None = None
    assumed: bool = False


class Usage(msgspec.Struct):
    """Everything `agentdeck usage --json` prints."""

    messages: dict[str, int] = {}
    tokens: dict[str, Tokens] = {}
    cost_usd: float = 0.0
    sessions: dict[str, SessionTotal] = {}
    days: dict[str, int] = {}
    day_costs: dict[str, float] = {}
    day_unpriced: dict[str, int] = {}
    """Tokens without a price, on days that have such."""
    models: dict[str, float] = {}
    """USD by agent:model."""
    projects: dict[str, SessionTotal] = {}
    unpriced: list[str] = []
    hidden_cost_usd: dict[str, float] = {}
    context: dict[str, ContextTotal] = {}
    bad_lines: int = 0


class Period(NamedTuple):
    """From a moment to another, unix milliseconds, the end excluded."""

    since: int = 0
    until: int = 2**62


def usage(
    ledger: Ledger, prices: Prices, env: Mapping[str, str], *, zone: tzinfo | None = None, period: Period | None = None
) -> Usage:
    """Sum up a period; `zone` None is the machine's own."""
    result = Usage()
    where = " WHERE at >= ? AND at < ? " if period is not None else " "
    query = (
        f"SELECT kind, owner, at / {QUARTER}, sum(counted), sum(input), sum(cw5), sum(cw1h), sum(cache_read),"
        " sum(output), sum(reasoning), sum(web), sum(total), sum(cost),"
        f" sum(CASE WHEN cost IS NULL THEN total ELSE 0 END) FROM kept{where}"
        # by one number, which is sorted faster than three
        " GROUP BY (owner * (SELECT max(id) + 1 FROM kinds) + kind)"
        f" * {QUARTERS} + (at / {QUARTER} & {QUARTERS - 1})"
    )
    rows: list[tuple[Any, ...]] = list(ledger.query(query, tuple(period) if period is not None else ()))
    kinds = {row[0]: (str(row[1]), str(row[2])) for row in ledger.query("SELECT id, agent, model FROM kinds")}
    owners = {
        row[0]: (f"{row[1]}:{row[2]}", str(row[3] or "?"))
        for row in ledger.query("SELECT id, agent, session, project FROM sessions")
    }
    unpriced: set[str] = set()
    days: dict[int, str] = {}
    rows.sort(key=lambda row: (row[2], *owners[row[1]], *kinds[row[0]]))  # always added up in the same order
    for kind, owner, quarter, counted, *numbers, total, cost, lacking in rows:
        agent, model = kinds[kind]
        key, project = owners[owner]
        name = f"{agent}:{model}"
        result.messages[agent] = result.messages.get(agent, 0) + counted
        _add_tokens(result.tokens.setdefault(name, Tokens()), numbers)
        if cost is not None:
            result.models[name] = result.models.get(name, 0.0) + cost
        if lacking:
            unpriced.add(model)
        for sums, what in ((result.sessions, key), (result.projects, project)):
            totals = sums.get(what) or sums.setdefault(what, SessionTotal(0, 0.0))
            totals.tokens += total
            totals.cost_usd += cost or 0.0
            totals.unpriced += lacking
        if quarter:
            day = days.get(quarter)
            if day is None:
                day = days[quarter] = datetime.fromtimestamp(quarter * QUARTER / 1000, zone).strftime("%Y-%m-%d")
            _add_day(result, day, total, cost, lacking)
    result.cost_usd = sum(session.cost_usd for session in result.sessions.values())
    for name in ("tokens", "models", "sessions", "projects"):
        setattr(result, name, dict(sorted(getattr(result, name).items())))
    result.unpriced = sorted(unpriced)
    _add_files(result, ledger, prices, env)
    return result


def _add_tokens(tokens: Tokens, numbers: list[int]) -> None:
    input, short, long, read, output, reasoning, web = numbers
    tokens.input += input
    tokens.cache_write_5m += short
    tokens.cache_write_1h += long
    tokens.cache_read += read
    tokens.output += output
    tokens.reasoning += reasoning
    tokens.web_search += web


def _add_day(result: Usage, day: str, total: int, cost: float | None, lacking: int) -> None:
    result.days[day] = result.days.get(day, 0) + total
    result.day_costs[day] = result.day_costs.get(day, 0.0) + (cost or 0.0)
    if lacking:
        result.day_unpriced[day] = result.day_unpriced.get(day, 0) + lacking


def _add_files(result: Usage, ledger: Ledger, prices: Prices, env: Mapping[str, str]) -> None:
    """What stands in the transcripts beside the responses: gauges and the CLI's own costs."""
    hidden: dict[str, claude.State] = {}
    for mark in sorted(ledger.files().values(), key=lambda mark: mark.changed):
        result.bad_lines += mark.bad
        if not mark.state:
            continue
        if mark.agent == "claude":
            state = msgspec.json.decode(mark.state, type=claude.State)
            if state.context is not None:
                gauge = context.of_claude(state.context, prices, env)
                result.context[f"claude:{state.context.session}"] = _shown(gauge)
            if state.own_cost is not None:
                hidden[state.session] = state
        elif mark.agent == "codex":
            thread = msgspec.json.decode(mark.state, type=codex.State)
            gauged = context.of_codex(thread)
            if gauged is not None:
                result.context[f"codex:{thread.thread}"] = _shown(gauged)
        elif mark.agent == "gemini":
            chat = msgspec.json.decode(mark.state, type=gemini.State)
            gauged = context.of_gemini(chat)
            if gauged is not None and chat.session:
                result.context[f"gemini:{chat.session}"] = _shown(gauged)
    for session, state in hidden.items():
        cost = _hidden(ledger, session, state)
        if cost > HIDDEN_LEAST:
            result.hidden_cost_usd[session] = cost


def _hidden(ledger: Ledger, session: str, state: claude.State) -> float:
    """What the CLI counted and no record shows, at its last count."""
    query = (
        "SELECT coalesce(sum(CASE WHEN sidechain = 0 THEN cost END), 0),"
        " coalesce(sum(CASE WHEN sidechain = 1 THEN cost END), 0)"
        " FROM billed WHERE agent = 'claude' AND session = ? AND (? = 0 OR at < ?)"
    )
    ((main, aside),) = ledger.query(query, (session, state.own_until, state.own_until))
    return (state.own_cost or 0.0) - max(state.own_visible, _float(main)) - _float(aside)


def _shown(gauge: Gauge) -> ContextTotal:
    return ContextTotal(
        used_tokens=gauge.used,
        window=gauge.window,
        used_pct=gauge.used_pct,
        compact_at=gauge.compact_at,
        pct_left=gauge.pct_left,
        assumed=gauge.assumed,
    )


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
