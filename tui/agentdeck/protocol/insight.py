"""What the hub concludes of a session for people: its health, loops, conflicts, and what it did while nobody looked.

A `key` is as in `protocol.facts`. Delivery: *latest only*.
"""

import msgspec

from agentdeck.protocol.base import Reply, Request


class Alert(msgspec.Struct, frozen=True, array_like=True):
    """Something is wrong. `kind`: loop, undo, error, stall or memory."""

    kind: str
    evidence: str
    advice: str


class Conflict(msgspec.Struct, frozen=True, array_like=True):
    """Sessions that changed one file. `at` is unix time of the last change."""

    path: str
    at: float
    sessions: tuple[str, ...]


class Server(msgspec.Struct, frozen=True, array_like=True):
    """A long-lived helper process of a session, such as an MCP server."""

    name: str
    pid: int
    rss: int
    """Bytes, rounded."""
    growing: bool = False


class Remain(msgspec.Struct, frozen=True, array_like=True):
    """A process that outlived its session."""

    name: str
    pid: int


class Insight(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    score: int | None = None
    """Health, 0 to 100; None while nothing is known."""
    status: str = ""
    """healthy, warning or critical."""
    factors: tuple[float, ...] = ()
    """Context, age, rest, errors: 1.0 when all is well, 0.0 at worst."""
    alerts: tuple[Alert, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    servers: tuple[Server, ...] = ()
    remains: tuple[Remain, ...] = ()
    """Of a session that ended by itself."""


class WatchInsight(Request, tag="watch_insight"):
    """Push `InsightChanged` for what is known now, and whenever it changes."""


class ReadInsight(Request, tag="read_insight"):
    """Ask for `InsightTold`, once. `ref`: a session's id, the beginning of one, its name, an agent's pid, or a key."""

    ref: str


class ReadAway(Request, tag="read_away"):
    """Ask for `AwayTold`: what a session did since `since`, unix time."""

    key: str
    since: float


class InsightChanged(Reply, tag="insight"):
    insights: tuple[Insight, ...]
    left_at: float = 0.0
    """In the answer to `WatchInsight`: when the last client that watched went; 0.0 while another one does, or when
    this hub has seen none."""


class InsightTold(Reply, tag="insight_told"):
    insight: Insight
    names: dict[str, str]
    """What the session, and those that it is in conflict with, are called, by key."""


class AwayTold(Reply, tag="away"):
    key: str
    prompts: int
    calls: int
    failures: int
    files: int
    added: int
    removed: int
    test_runs: int
    tests_passed: int | None
    tests_failed: int | None
    last_run_failed: bool | None
    last_message: str
    waits: int = 0
    """How often it waited for the person."""
    cost_usd: float | None = None
    """Of the whole session until now."""
    cost_since_usd: float | None = None
    """None: nobody noted what it had cost by then."""
