"""The figures that people look at all the time: what sessions cost and how full they are, today, the week, limits.

The ledger answers; how full a context is stands with the transcripts and is remembered here as they are read.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from agentdeck.protocol.facts import Gauge, Limit
from agentdeck.protocol.worker import ModelTotal, SessionGauge, Totals
from agentdeck.usage import claude, codex, context, gemini
from agentdeck.usage.ledger import FileMark, Ledger
from agentdeck.usage.prices import Prices
from agentdeck.usage.report import HIDDEN_LEAST

BURN: Final = 15 * 60.0
"""Seconds over which the burn rate is taken."""

TURNS: Final = 10
"""Responses whose growth tells how many more will fit."""

STALE: Final = 3600.0
"""Seconds after which Claude Code itself no longer trusts the limits that it has kept."""

NAMES: Final = {300: "5 hours", 10080: "week"}
"""Minutes of a limit's window, as people call it."""

_CLAUDE_NAMES: Final = {
    "five_hour": "5 hours",
    "seven_day": "week",
    "seven_day_opus": "week, Opus",
    "seven_day_sonnet": "week, Sonnet",
}

IN_ONE_QUERY: Final = 500


class _Row(msgspec.Struct, array_like=True):
    """One billed response."""

    agent: str
    session: str
    at: int
    prompt: int
    cache_read: int
    total: int
    sidechain: int
    cost: float | None


class _Utilization(msgspec.Struct):
    utilization: float | None = None
    resets_at: str | None = None


class _Cached(msgspec.Struct):
    fetched: float = msgspec.field(name="fetchedAtMs", default=0.0)
    utilization: dict[str, _Utilization | None] = {}


class _Own(msgspec.Struct):
    cached: _Cached | None = msgspec.field(name="cachedUsageUtilization", default=None)


class Pulse:
    def __init__(self, ledger: Ledger, prices: Prices, env: Mapping[str, str]) -> None:
        self._ledger = ledger
        self._prices = prices
        self._env = env
        self._gauges: dict[str, context.Gauge] = {}
        self._own: dict[str, claude.State] = {}
        """Claude Code's own counts."""
        self._limits: codex.Limits | None = None
        self._limits_at = 0

    def note(self, marks: Iterable[FileMark]) -> set[str]:
        """Take in what transcripts say beside their responses; return the sessions (provider:id) that they are of."""
        keys: set[str] = set()
        for mark in marks:
            key = self._note(mark)
            if key:
                keys.add(f"{mark.agent}:{key}")
        return keys

    def _note(self, mark: FileMark) -> str:
        gauge: context.Gauge | None = None
        session = ""
        try:
            if mark.agent == "claude" and mark.state:
                state = msgspec.json.decode(mark.state, type=claude.State)
                session = state.session or (state.context.session if state.context else "")
                gauge = context.of_claude(state.context, self._prices, self._env) if state.context else None
                if state.own_cost is not None:
                    self._own[f"claude:{session}"] = state
            elif mark.agent == "codex" and mark.state:
                thread = msgspec.json.decode(mark.state, type=codex.State)
                session, gauge = thread.thread, context.of_codex(thread)
                if thread.limits is not None and thread.limits_at >= self._limits_at:
                    self._limits, self._limits_at = thread.limits, thread.limits_at
            elif mark.agent == "gemini" and mark.state:
                chat = msgspec.json.decode(mark.state, type=gemini.State)
                session, gauge = chat.session, context.of_gemini(chat)
        except msgspec.DecodeError:
            return ""
        if gauge is not None and session:
            self._gauges[f"{mark.agent}:{session}"] = gauge
        return session

    # ── sessions ───────────────────────────────────────────────────────────────────────────────

    def sessions(self, keys: Iterable[str], now: float | None = None) -> tuple[SessionGauge, ...]:
        now = time.time() if now is None else now
        wanted = sorted(keys)
        found: list[SessionGauge] = []
        for start in range(0, len(wanted), IN_ONE_QUERY):
            some = wanted[start : start + IN_ONE_QUERY]
            rows: defaultdict[str, list[_Row]] = defaultdict(list)
            query = (
                "SELECT agent, session, at, input + cw5 + cw1h + cache_read, cache_read, total, sidechain, cost"
                f" FROM billed WHERE session IN ({','.join('?' * len(some))}) ORDER BY at"
            )
            for row in self._ledger.query(query, tuple(key.partition(":")[2] for key in some)):
                response = msgspec.convert(row, _Row)
                rows[f"{response.agent}:{response.session}"].append(response)
            found += [self._session(key, rows[key], now) for key in some]
        return tuple(found)

    def _session(self, key: str, rows: list[_Row], now: float) -> SessionGauge:
        prompt = sum(row.prompt for row in rows)
        cost = sum(row.cost or 0.0 for row in rows)
        unpriced = any(row.cost is None and row.total for row in rows)
        recent = [row for row in rows if row.at >= (now - BURN) * 1000]
        return SessionGauge(
            key=key,
            gauge=self._gauge(key, rows),
            tokens=sum(row.total for row in rows),
            cost_usd=cost if rows and not all(row.cost is None for row in rows) else None,
            hidden_usd=self._hidden(key, rows),
            unpriced=unpriced,
            burn_usd_hour=sum(row.cost or 0.0 for row in recent) * 3600 / BURN if recent else None,
            cache_hit_pct=round(100 * sum(row.cache_read for row in rows) / prompt) if prompt else None,
        )

    def _gauge(self, key: str, rows: list[_Row]) -> Gauge | None:
        gauge = self._gauges.get(key)
        if gauge is None:
            return None
        turns = None
        prompts = [row.prompt for row in rows if not row.sidechain][-TURNS - 1 :]
        growth = [new - old for old, new in pairwise(prompts) if new > old]
        if gauge.compact_at is not None and growth:
            turns = max(0, int((gauge.compact_at - gauge.used) / _median(growth)))
        return Gauge(gauge.used, gauge.window, gauge.used_pct, gauge.compact_at, gauge.pct_left, turns, gauge.assumed)

    def _hidden(self, key: str, rows: list[_Row]) -> float | None:
        """What the CLI counted and no record shows, at its last count."""
        state = self._own.get(key)
        if state is None or state.own_cost is None:
            return None
        counted = [row for row in rows if not state.own_until or row.at < state.own_until]
        main = sum(row.cost or 0.0 for row in counted if not row.sidechain)
        aside = sum(row.cost or 0.0 for row in counted if row.sidechain)
        hidden = state.own_cost - max(state.own_visible, main) - aside
        return hidden if hidden > HIDDEN_LEAST else 0.0

    # ── all ────────────────────────────────────────────────────────────────────────────────────

    def totals(self, *, complete: bool, now: datetime | None = None) -> Totals:
        midnight = (now or datetime.now()).replace(hour=0, minute=0, second=0, microsecond=0)
        today, week = (round(day.timestamp() * 1000) for day in (midnight, midnight - timedelta(days=6)))
        models: dict[str, ModelTotal] = {}
        sums = {True: (0, 0.0), False: (0, 0.0)}
        query = "SELECT kind, at >= ?, sum(total), sum(cost) FROM kept WHERE at >= ? GROUP BY 1, 2"
        rows = self._ledger.query(query, (today, week))
        kinds = {
            id: f"{agent}:{model}" for id, agent, model in self._ledger.query("SELECT id, agent, model FROM kinds")
        }
        for kind, is_today, total, cost in sorted(rows, key=lambda row: (kinds[row[0]], row)):
            name = kinds[kind]
            assert isinstance(total, int)
            usd = float(cost) if isinstance(cost, int | float) else None
            before = models.get(name, ModelTotal(0, None))
            both = None if usd is None and before.usd is None else (usd or 0.0) + (before.usd or 0.0)
            models[name] = ModelTotal(before.tokens + total, both)
            tokens, spent = sums[bool(is_today)]
            sums[bool(is_today)] = tokens + total, spent + (usd or 0.0)
        return Totals(
            today_tokens=sums[True][0],
            today_usd=sums[True][1],
            week_tokens=sums[True][0] + sums[False][0],
            week_usd=sums[True][1] + sums[False][1],
            models=models,
            complete=complete,
        )

    def limits(self, now: float | None = None) -> dict[str, tuple[Limit, ...]]:
        """What the providers themselves say, by provider; nothing is guessed here."""
        now = time.time() if now is None else now
        found = {"codex": self._codex_limits(now), "claude": _claude_limits(self._env, now)}
        return {provider: limits for provider, limits in found.items() if limits}

    def _codex_limits(self, now: float) -> tuple[Limit, ...]:
        windows = (self._limits.primary, self._limits.secondary) if self._limits is not None else ()
        limits = []
        for window in windows:
            if window is not None:
                name = NAMES.get(int(window.window_minutes or 0), f"{(window.window_minutes or 0) / 60:.0f} hours")
                over = window.resets_at is not None and window.resets_at <= now
                limits.append(Limit(name, 0.0 if over else window.used_percent, None if over else window.resets_at))
        return tuple(limits)


def _median(numbers: list[int]) -> float:
    ordered, middle = sorted(numbers), len(numbers) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _claude_limits(env: Mapping[str, str], now: float) -> tuple[Limit, ...]:
    """What Claude Code keeps of its account's limits in its own configuration; no credential is needed for that."""
    base = Path(env.get("CLAUDE_CONFIG_DIR", "").split(",")[0] or env.get("HOME") or Path.home())
    try:
        own = msgspec.json.decode((base / ".claude.json").read_bytes(), type=_Own)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return ()
    if own.cached is None or now - own.cached.fetched / 1000 > STALE:
        return ()
    limits = []
    for key, name in _CLAUDE_NAMES.items():
        used = own.cached.utilization.get(key)
        if used is not None and used.utilization is not None:
            try:
                resets = datetime.fromisoformat(used.resets_at).timestamp() if used.resets_at else None
            except (ValueError, OverflowError):
                resets = None
            limits.append(Limit(name, used.utilization, resets))
    return tuple(limits)
