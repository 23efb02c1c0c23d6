"""How much of the accounts' limits is used: what the providers say first, an estimate where they say nothing.

Anthropic publishes no numbers, so the estimate is only which five hours count together and what was used in them: a
window begins at the UTC hour of its first response, and the first response after its end begins the next.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from agentdeck.protocol.facts import Limit
from agentdeck.usage.ledger import Ledger

HOUR: Final = 3600
WINDOW: Final = 5 * HOUR

LOOK_BACK: Final = 7 * 24 * HOUR
"""Seconds of history that windows are laid over."""


class Block(msgspec.Struct, frozen=True, array_like=True):
    """Responses of one window, from `begin` on and before `end`, in unix seconds."""

    begin: int
    end: int
    responses: int


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A limit as `agentdeck usage --json` prints it."""

    provider: str
    name: str
    used_pct: float | None
    """None when only an estimate is to be had."""
    resets_at: float | None
    estimated: bool
    tokens: int | None = None
    """Used in the window; only with an estimate."""
    cost_usd: float | None = None


def blocks(times: Iterable[float]) -> list[Block]:
    """Lay windows over the times of responses, in unix seconds, oldest first."""
    found: list[Block] = []
    for at in times:
        if found and at < found[-1].end:
            last = found[-1]
            found[-1] = Block(last.begin, last.end, last.responses + 1)
        else:
            begin = int(at // HOUR * HOUR)
            found.append(Block(begin, begin + WINDOW, 1))
    return found


def told(official: Mapping[str, Iterable[Limit]], ledger: Ledger, now: float) -> list[Told]:
    """Every limit that is known, official ones first."""
    found = [
        Told(
            provider=provider,
            name=limit.name,
            used_pct=limit.used_pct,
            resets_at=limit.resets_at,
            estimated=limit.estimated,
        )
        for provider, limits in official.items()
        for limit in limits
    ]
    if not official.get("claude"):
        found += _estimated(ledger, now)
    return sorted(found, key=lambda limit: limit.estimated)


def _estimated(ledger: Ledger, now: float) -> list[Told]:
    since = round((now - LOOK_BACK) * 1000)
    rows = ledger.query(
        "SELECT at / 1000.0, total, cost FROM billed WHERE agent = 'claude' AND at >= ? AND at <= ? ORDER BY at",
        (since, round(now * 1000)),
    )
    laid = blocks(at for at, _, _ in rows if isinstance(at, float))
    if not laid or laid[-1].end <= now:
        return []
    last = laid[-1]
    inside = [(tokens, cost) for at, tokens, cost in rows if isinstance(at, float) and at >= last.begin]
    return [
        Told(
            provider="claude",
            name="5 hours",
            used_pct=None,
            resets_at=float(last.end),
            estimated=True,
            tokens=sum(tokens for tokens, _ in inside if isinstance(tokens, int)),
            cost_usd=sum(cost for _, cost in inside if isinstance(cost, int | float)),
        )
    ]
