"""What the transcripts say, on the wire: events as lines of a feed, gauges, costs, conversations.

A `key` names a session here: the id of one of ours, or `provider:id` of one that was started elsewhere. Delivery: facts
are *latest only*; lines of a followed feed must arrive.
"""

import msgspec

from agentdeck.protocol.base import Reply, Request


class Gauge(msgspec.Struct, frozen=True, array_like=True):
    """How full a context is. Tokens; None is unknown."""

    used: int
    window: int
    used_pct: int
    compact_at: int | None = None
    pct_left: int | None = None
    turns_left: int | None = None
    """Turns until the CLI compacts, at the median growth of the last ones."""
    assumed: bool = False
    """The window is deduced, not told."""


class Limit(msgspec.Struct, frozen=True, array_like=True):
    """A rate limit of the account. `resets_at` is unix time."""

    name: str
    used_pct: float
    resets_at: float | None = None
    estimated: bool = False


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one session from its transcript. Times are unix seconds; None is unknown, never zero."""

    key: str
    provider: str
    provider_session: str
    cwd: str = ""
    title: str = ""
    model: str = ""
    watched: bool = False
    """It was started elsewhere: we only look on."""
    pid: int = 0
    state: str = "unknown"
    started: float = 0.0
    last_at: float = 0.0
    gauge: Gauge | None = None
    tokens: int | None = None
    cost_usd: float | None = None
    hidden_usd: float | None = None
    """What the CLI itself counted beyond the responses that it records."""
    unpriced: bool = False
    """Some of its tokens are of a model without a price: the cost is a lower bound."""
    burn_usd_hour: float | None = None
    cache_hit_pct: int | None = None
    messages: int = 0
    tools: int = 0
    errors: int = 0
    agents: int = 0
    files: int = 0
    added: int = 0
    removed: int = 0
    doing: str = ""
    """The tool call that runs now, in a few words."""
    doing_since: float | None = None
    last_prompt: str = ""
    last_message: str = ""
    limits: tuple[Limit, ...] = ()


class FeedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One event as people read it."""

    n: int
    """Counts up within a session."""
    at: float
    kind: str
    title: str
    """The tool, or who speaks."""
    text: str
    """One line."""
    status: str = ""
    """ok, error, pending or empty."""
    seconds: float | None = None
    tokens: int = 0
    """That the context grew by."""
    call: str = ""
    """Ask with `ReadCall` for the whole of it."""
    agent: str = ""
    added: int | None = None
    removed: int | None = None
    burned: str = ""
    """What its processes used of the machine, such as `pytest 92 %`; empty when it is not worth telling."""


class ConversationLine(msgspec.Struct, frozen=True, array_like=True):
    """A line of a conversation as people read it. `style`: user, assistant, thinking, tool, result, error or mark."""

    style: str
    text: str
    call: str = ""


class WatchFacts(Request, tag="watch_facts"):
    """Push `FactsChanged` for every session now, and for each that changes."""


class FollowFeed(Request, tag="follow_feed"):
    """Push the lines of this session's feed as they come; `on` False ends it."""

    key: str
    on: bool = True


class ReadFeed(Request, tag="read_feed"):
    """Ask for `FeedLines`: up to `count` lines before line `before`, or the newest when it is 0."""

    key: str
    before: int = 0
    count: int = 200


class ReadCall(Request, tag="read_call"):
    key: str
    call: str


class ReadMessage(Request, tag="read_message"):
    """Ask for `CallDetail`: the whole of a message of the feed. Raises `UnknownSessionError`."""

    key: str
    at: float


class ReadConversation(Request, tag="read_conversation"):
    """Ask for `Conversation`: the whole of it, rendered in lines that are at most `width` cells wide."""

    key: str
    width: int
    before: int = 0
    """Lines before this one; 0 is the end."""
    count: int = 400
    find: str = ""
    """Go to the last line before `before` that has this text, whatever its case."""
    turn: int = -1
    """Tell the `count` lines from the message of this number on, counted from 0 as in a search."""


class ReadUsage(Request, tag="read_usage"):
    """Ask for `UsageTold`."""

    since: float = 0.0


class FactsChanged(Reply, tag="facts"):
    facts: tuple[Facts, ...]


class FactsGone(Reply, tag="facts_gone"):
    key: str


class Spent(Reply, tag="spent"):
    """What all sessions of this machine used, pushed after `WatchFacts`. Days are this machine's."""

    today_tokens: int = 0
    today_usd: float = 0.0
    week_tokens: int = 0
    week_usd: float = 0.0
    unpriced: bool = False
    """Some tokens of the week are of a model without a price."""


class FeedLines(Reply, tag="feed"):
    key: str
    lines: tuple[FeedLine, ...]
    """Oldest first. A line with a number that was told before replaces it."""
    anew: bool = False
    """The session has another conversation now: what was told of its feed before is no longer part of it."""


class CallDetail(Reply, tag="call"):
    key: str
    call: str
    tool: str
    input: str
    """Indented JSON, or the command or patch itself."""
    output: str
    status: str = ""
    seconds: float | None = None
    diff: str = ""


class Conversation(Reply, tag="conversation"):
    key: str
    start: int
    total: int
    lines: tuple[ConversationLine, ...]
    line: int = -1
    """The line that was looked for; -1 when there is none."""


class UsageTold(Reply, tag="usage"):
    """`report` is the JSON of `agentdeck usage --json`."""

    report: bytes
    limits: tuple[Limit, ...] = ()
