"""Answers from the ledger: what was used, by whom, when, for how much."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

import msgspec

from agentdeck.usage import claude, codex, context, gemini
from agentdeck.usage.context import Gauge
from agentdeck.usage.ledger import Ledger
from agentdeck.usage.prices import Prices

QUARTER: Final = 15 * 60 * 1000
"""Milliseconds; every time zone's days begin on a quarter of an hour."""

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


class SessionTotal(msgspec.Struct):
    tokens: int = 0
    cost_usd: float = 0.0


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
    span = period or Period()
    result = Usage()
    where = " WHERE at >= ? AND at < ? " if period is not None else " "
    bounds = tuple(span) if period is not None else ()
    for agent, messages in ledger.query(f"SELECT agent, sum(counted) FROM billed{where}GROUP BY agent", bounds):
        result.messages[str(agent)] = _int(messages)
    by_model = (
        "SELECT agent || ':' || model, sum(input), sum(cw5), sum(cw1h), sum(cache_read), sum(output), sum(reasoning),"
        f" sum(web), sum(cost) FROM billed{where}GROUP BY agent, model ORDER BY 1"
    )
    for name, *numbers, cost in ledger.query(by_model, bounds):
        result.tokens[str(name)] = Tokens(*map(_int, numbers))
        if cost is not None:
            result.models[str(name)] = _float(cost)
    by_session = (
        f"SELECT agent || ':' || session, sum(total), sum(cost) FROM billed{where}GROUP BY agent, session ORDER BY 1"
    )
    for name, total, cost in ledger.query(by_session, bounds):
        result.sessions[str(name)] = SessionTotal(_int(total), _float(cost))
    by_project = (
        "SELECT coalesce(nullif(s.project, ''), '?'), sum(total), sum(cost) FROM billed b LEFT JOIN sessions s"
        f" ON s.agent = b.agent AND s.session = b.session{where}GROUP BY 1 ORDER BY 1"
    )
    for name, total, cost in ledger.query(by_project, bounds):
        result.projects[str(name)] = SessionTotal(_int(total), _float(cost))
    result.cost_usd = sum(session.cost_usd for session in result.sessions.values())
    _add_days(result, ledger, zone, where, bounds)
    query = (
        f"SELECT DISTINCT model FROM billed{where}{'AND' if period else 'WHERE'} cost IS NULL AND total > 0 ORDER BY 1"
    )
    result.unpriced = [str(model) for (model,) in ledger.query(query, bounds)]
    _add_files(result, ledger, prices, env)
    return result


def _add_days(result: Usage, ledger: Ledger, zone: tzinfo | None, where: str, bounds: tuple[int, ...]) -> None:
    days: defaultdict[str, int] = defaultdict(int)
    costs: defaultdict[str, float] = defaultdict(float)
    query = f"SELECT at / {QUARTER}, sum(total), sum(cost) FROM billed{where}GROUP BY 1 ORDER BY 1"
    for quarter, total, cost in ledger.query(query, bounds):
        if not quarter:
            continue
        day = datetime.fromtimestamp(_int(quarter) * QUARTER / 1000, zone).strftime("%Y-%m-%d")
        days[day] += _int(total)
        costs[day] += _float(cost)
    result.days, result.day_costs = dict(days), dict(costs)


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


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
