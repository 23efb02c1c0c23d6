"""How a session's usage grew: tokens, cost and context over time, in few enough points to draw.

Sums are from the session's first response on. Between two points nothing is known but that it grew.
"""

from typing import Final, NamedTuple

from agentdeck.usage.ledger import Ledger

POINTS: Final = 120
"""At most; what lies between is left out evenly in time."""


class Point(NamedTuple):
    at: float
    """Unix time."""
    tokens: int
    """All until then."""
    cost_usd: float | None
    """Of those that have a price; None while none has one."""
    context: int | None
    """Tokens of the last prompt of the main conversation."""


def course(ledger: Ledger, agent: str, session: str) -> list[Point]:
    """One point for each response that counts, oldest first. Raises `sqlite3.Error`."""
    rows = ledger.query(
        "SELECT at, total, cost, input + cw5 + cw1h + cache_read, sidechain FROM billed"
        " WHERE agent = ? AND session = ? ORDER BY at",
        (agent, session),
    )
    points: list[Point] = []
    tokens, cost, context = 0, None, None
    for at, total, price, prompt, aside in rows:
        assert isinstance(at, int)
        assert isinstance(total, int)
        assert isinstance(prompt, int)
        tokens += total
        cost = cost if price is None else (cost or 0.0) + float(str(price))
        context = context if aside or not prompt else prompt
        if at:  # some records have no time of their own: they count from the next one on
            points.append(Point(at / 1000, tokens, cost, context))
    return points


def thinned(points: list[Point], most: int = POINTS) -> list[Point]:
    """The first and the last, and between them the last one of each equal part of the time."""
    if len(points) <= most:
        return points
    first, last = points[0], points[-1]
    each = (last.at - first.at) / (most - 1) or 1.0
    kept = {int((point.at - first.at) / each): point for point in points[1:-1]}
    return [first, *list(kept.values())[: most - 2], last]
