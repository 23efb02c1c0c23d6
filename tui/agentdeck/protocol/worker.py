"""What the worker that reads transcripts tells the hub: a 4-byte length, then one of these as msgpack."""

import msgspec

from agentdeck.protocol.facts import Gauge, Limit


class Told(msgspec.Struct, frozen=True, tag="told"):
    """Events, each as `events_wire` encodes it, in the order of each transcript."""

    events: list[bytes]
    history: bool = False
    """They happened before: needed to know a session, no news. All of it comes again whenever a worker starts."""


class SessionGauge(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger knows of one session. None is unknown, never zero."""

    key: str
    """provider:id"""
    gauge: Gauge | None = None
    tokens: int | None = None
    cost_usd: float | None = None
    hidden_usd: float | None = None
    unpriced: bool = False
    burn_usd_hour: float | None = None
    """Of the last quarter of an hour, idle time included."""
    cache_hit_pct: int | None = None


class Gauges(msgspec.Struct, frozen=True, tag="gauges"):
    """The sessions whose figures have changed."""

    sessions: tuple[SessionGauge, ...]


class ModelTotal(msgspec.Struct, frozen=True, array_like=True):
    tokens: int
    usd: float | None
    """None when the model has no price."""


class Totals(msgspec.Struct, frozen=True, kw_only=True, tag="totals"):
    """Days are this machine's; the week is the last seven of them, today included."""

    today_tokens: int
    today_usd: float
    week_tokens: int
    week_usd: float
    models: dict[str, ModelTotal]
    """provider:model of the week."""
    complete: bool
    """False while transcripts are still being read for the first time."""


class Limits(msgspec.Struct, frozen=True, tag="limits"):
    """The account's limits as the provider tells them."""

    provider: str
    limits: tuple[Limit, ...]


class Problem(msgspec.Struct, frozen=True, tag="problem"):
    """A sentence for people."""

    text: str


class Indexed(msgspec.Struct, frozen=True, kw_only=True, tag="indexed"):
    """How far the index of all conversations is: transcripts read, of those that had to be."""

    done: int = 0
    of: int = 0
    complete: bool = False
    empty: bool = False
    """Nothing can be found in it, because nothing has been said."""
    problem: str = ""


AnyFrame = Told | Gauges | Totals | Limits | Problem | Indexed
