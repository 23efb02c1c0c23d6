"""How well a session is doing, 0 to 100, from four things that can be counted: context, age, rest, failed calls.

The weights are 40, 20, 20 and 20 percent. The factors are always shown beside the score, because a number alone
explains nothing; each is 1.0 when all is well and 0.0 at worst.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from agentdeck.live.session import LiveSession

RECENT_CALLS: Final = 50
"""Calls whose failures count."""

HEALTHY: Final = 70
WARNING: Final = 40

_WEIGHTS: Final = (0.4, 0.2, 0.2, 0.2)

_TOKENS: Final = ((70.0, 1.0), (90.0, 0.3), (100.0, 0.0))
_HOURS: Final = ((4.0, 1.0), (8.0, 0.4), (16.0, 0.1))
_IDLE: Final = ((15.0, 1.0), (30.0, 0.5), (90.0, 0.2))
_ERRORS: Final = ((0.0, 1.0), (5.0, 0.7), (10.0, 0.3), (20.0, 0.0))


class Factors(NamedTuple):
    tokens: float
    duration: float
    activity: float
    errors: float


class Health(NamedTuple):
    score: int
    status: str
    """healthy (from 70), warning (from 40) or critical."""
    factors: Factors


def health(context_pct: float, hours: float, idle_minutes: float, errors: int, waiting: bool = False) -> Health:
    """Judge by context (percent of the size at which it is compacted), age, rest and failures of the last 50 calls.

    A session that waits for the person rests for a good reason: then its rest does not count.
    """
    factors = Factors(
        tokens=_between(context_pct, _TOKENS),
        duration=_between(hours, _HOURS),
        activity=1.0 if waiting else _between(idle_minutes, _IDLE),
        errors=_between(errors, _ERRORS),
    )
    score = round(100 * sum(weight * factor for weight, factor in zip(_WEIGHTS, factors, strict=True)))
    status = "healthy" if score >= HEALTHY else "warning" if score >= WARNING else "critical"
    return Health(score, status, factors)


def health_of(session: LiveSession, now: datetime, *, compact_at: int | None = None) -> Health:
    """Judge a live session; `compact_at` is the size in tokens at which its CLI compacts, the window by default."""
    last = session.last_at or now
    started = session.started or last
    return health(
        context_pct=100 * session.context.prompt / (compact_at or session.context.window),
        hours=(last - started).total_seconds() / 3600,
        idle_minutes=max(0.0, (now - last).total_seconds() / 60),
        errors=sum(call.is_error for call in session.calls.last(RECENT_CALLS)),
        waiting=not session.working and not session.pending,
    )


def _between(value: float, points: Sequence[tuple[float, float]]) -> float:
    """Interpolate linearly between the points; before the first and after the last the value stays."""
    (x0, y0), *rest = points
    if value <= x0:
        return y0
    for x1, y1 in rest:
        if value <= x1:
            return y0 + (y1 - y0) * (value - x0) / (x1 - x0)
        x0, y0 = x1, y1
    return y0
