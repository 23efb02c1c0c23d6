"""agentdeck-share/1: what a shared session says to browsers, joiners and scripts, and what they may say to it.

The one schema: the gateway validates with it, the hub decides by it, `docs/protocol.md`, the OpenAPI document and the
matrix of rights in the tests are generated from it. Every message is an envelope with a kind `t` and a body `d`.
Durable kinds carry `seq`, one counter per share, and are replayed after a reconnect; the others are latest-wins.
Long, because a schema in two places is two schemas.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

VERSION: Final = 1
SUBPROTOCOL: Final = "agentdeck.v1"

ROLES: Final = ("observer", "commenter", "driver", "owner")
"""Each may do what those before it may."""

GUEST_ROLES: Final = ROLES[:-1]
"""What a link can carry; the owner never leaves the machine."""

MESSAGE_LIMIT: Final = 32 * 1024
"""Bytes in one message from a client."""

Key = Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z0-9_.:-]*$", description="the client's key for this send")]
Name = Annotated[str, Meta(max_length=60)]


def _nothing() -> msgspec.Raw:
    return msgspec.Raw(b"{}")


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is around every message from the server."""

    v: int
    t: Annotated[str, Meta(description="the kind")]
    seq: Annotated[int, Meta(description="the number in the share's log; absent when the kind is not durable")] = 0
    ts: Annotated[float, Meta(description="unix time")] = 0.0
    by: Annotated[str, Meta(description="participant id, `owner` or `session`")] = ""
    id: Annotated[str, Meta(description="the key that the sender chose")] = ""
    d: msgspec.Raw = msgspec.field(default_factory=_nothing)


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What is around every message from a client."""

    t: Annotated[str, Meta(max_length=32)]
    id: Key = ""
    d: msgspec.Raw = msgspec.field(default_factory=_nothing)


# ── bodies: from the server ────────────────────────────────────────────────────────────────────


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """The first message. Another `epoch` than before means: forget everything and start from the snapshot."""

    share: str
    epoch: str
    participant: str
    name: str
    role: str
    session: Annotated[str, Meta(description="name of the shared session")]
    provider: str
    expires_at: float
    limits: dict[str, int]
    server_time: float


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """You came with a typed code: the owner decides. Compare the words with what the owner's screen shows."""

    participant: str
    name: str
    words: str


Line = tuple[int, tuple[tuple[str, str], ...]]
"""Row number, and its runs: text and the parameters of the SGR sequence that styles it (empty: plain)."""


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of the terminal. Apply it if `full`, or if `from` is the `tseq` that you have; else ask with `resync`."""

    from_: int = msgspec.field(name="from")
    tseq: int
    full: bool
    cols: int
    rows: int
    lines: tuple[Line, ...]
    cursor: tuple[int, int, bool]
    """Column, row, visible."""
    alternate: bool = False
    """The program draws on the alternate screen."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent does: starting, working, needs_you, done, idle, limited, exited, error or unknown."""

    state: str
    why: str = ""
    since: float = 0.0


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the agent. A line with a number that was told before replaces it (a call that was pending)."""

    n: int
    at: float
    kind: str
    title: str
    text: str
    status: str = ""
    seconds: float | None = None
    tokens: int = 0
    agent: str = ""
    added: int | None = None
    removed: int | None = None


class DataUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the session. `None` is unknown, never zero."""

    model: str = ""
    tokens: int | None = None
    cost_usd: float | None = None
    unpriced: bool = False
    burn_usd_hour: float | None = None
    context_used: int | None = None
    context_window: int | None = None
    context_pct: int | None = None
    messages: int = 0
    tools: int = 0
    errors: int = 0
    agents: int = 0
    files: int = 0
    added: int = 0
    removed: int = 0
    doing: str = ""
    doing_since: float | None = None
    started: float = 0.0
    ended: float | None = None
    title: str = ""


class UsageUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """How the usage grew, from the session's first response on, the newest last.

    A point is unix time, all tokens until then, their cost in USD, and the tokens of the context then; `null` is
    unknown. It comes some seconds later than `session_data_update`.
    """

    points: tuple[tuple[float, int, float | None, int | None], ...] = ()


class HealthUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """0 to 100 and its factors, each 0 to 1 where 1 is well."""

    score: int
    status: str
    factors: dict[str, float]


class FileTouched(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    added: int = 0
    removed: int = 0
    times: int = 0
    at: float = 0.0
    """The last time; unix time."""
    first: float = 0.0
    """The first time; 0 when that is not known."""


class FileUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """Files that the agent touched, the newest last, with when."""

    files: tuple[FileTouched, ...]


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    role: str
    online: bool = False
    joined: float = 0.0
    hands: bool = False
    """May send keys."""


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """Who is here. `viewers` counts those who only watch and were left out of a long list."""

    participants: tuple[Participant, ...]
    viewers: int = 0


class QueueItem(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    by: str
    name: str
    text: str
    state: str
    """queued, delivering, running, done, failed, cancelled, expired or maybe (sent before a crash, or not)."""
    position: int = 0
    """1 is next; 0 when it does not wait any more."""
    at: float = 0.0


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[QueueItem, ...]
    paused: bool = False
    """After an interrupt: a driver or the owner resumes it."""
    busy: bool = False
    waits_for: str = ""
    """Why the next one is not sent, in words."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is not in the log, as it is now. Events after `since` follow."""

    last_seq: int
    status: Status
    data: DataUpdate
    health: HealthUpdate | None
    files: FileUpdate
    presence: Presence
    queue: Queue
    screen: Screen | None
    oldest_seq: int = 0
    usage: UsageUpdate | None = None


class RoleChanged(msgspec.Struct, frozen=True, kw_only=True):
    role: str
    hands: bool = False


class System(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence about the share itself. `about`: joined, left, role, paused, resumed, kicked, offline, share."""

    text: str
    about: str = "share"
    participant: str = ""


class Echo(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message of yours; `ref` is its key."""

    ref: str
    seq: int = 0
    duplicate: bool = False
    item: str = ""
    position: int = 0


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why it did not happen. Also the body of every HTTP answer that is no success."""

    code: str
    text: str
    ref: str = ""
    retry_after: float | None = None


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """The last message before the socket closes for good."""

    code: str
    text: str


# ── bodies: from clients ───────────────────────────────────────────────────────────────────────


class Auth(msgspec.Struct, frozen=True, kw_only=True):
    """The first message of a socket that came with a cookie, within 5 s. A joiner with a Bearer leaves it out."""

    csrf: Annotated[str, Meta(max_length=128)] = ""
    since: Annotated[int, Meta(ge=0)] = 0
    epoch: Annotated[str, Meta(max_length=64)] = ""


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    text: Annotated[str, Meta(min_length=1, max_length=4096)]


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt for the agent: it waits in the queue until the agent is free."""

    text: Annotated[str, Meta(min_length=1, max_length=16 * 1024)]


class Interrupt(msgspec.Struct, frozen=True, kw_only=True):
    """End the agent's turn; the queue pauses."""


class Cancel(msgspec.Struct, frozen=True, kw_only=True):
    item: Annotated[str, Meta(max_length=64)]


class ResumeQueue(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes for the terminal; only with `hands`."""

    data: Annotated[str, Meta(min_length=1, max_length=256)]


class Typing(msgspec.Struct, frozen=True, kw_only=True):
    """Forgotten after 4 s without another."""

    on: bool = True
    participant: str = ""
    """Set by the server."""


class SetName(msgspec.Struct, frozen=True, kw_only=True):
    name: Name


class Resync(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for a full screen."""


# ── the table ──────────────────────────────────────────────────────────────────────────────────


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    server: type[msgspec.Struct] | None = None
    """The body when the server sends it; None: it never does."""
    client: type[msgspec.Struct] | None = None
    """The body when a client sends it; None: it may not."""
    role: str = ""
    """The least role that may send it."""
    hands: bool = False
    """Below the owner it also needs the right to the keyboard."""
    durable: bool = False
    about: str = ""


KINDS: Final = (
    Kind(name="hello", server=Hello, about="who you are and what you joined"),
    Kind(name="waiting", server=Waiting, about="you wait for the owner's approval"),
    Kind(name="snapshot", server=Snapshot, about="the state of everything, once after `hello`"),
    Kind(name="screen", server=Screen, about="changed rows of the terminal"),
    Kind(name="status", server=Status, durable=True, about="the agent's state has changed"),
    Kind(name="feed", server=Feed, durable=True, about="the agent did something"),
    Kind(name="session_data_update", server=DataUpdate, about="tokens, cost, counts, duration"),
    Kind(name="session_usage_update", server=UsageUpdate, about="tokens, cost and context over time"),
    Kind(name="session_health_update", server=HealthUpdate, about="health and its factors"),
    Kind(name="session_file_update", server=FileUpdate, about="files and when they were touched"),
    Kind(name="presence", server=Presence, about="who is here"),
    Kind(name="queue", server=Queue, about="the queue of prompts"),
    Kind(name="role", server=RoleChanged, about="your rights have changed"),
    Kind(name="system", server=System, durable=True, about="a sentence about the share"),
    Kind(name="echo", server=Echo, about="your message was taken"),
    Kind(name="error", server=Problem, about="your message was refused, or something is wrong"),
    Kind(name="ended", server=Ended, about="the share is over for you"),
    Kind(name="auth", client=Auth, role="observer", about="prove that you are the page"),
    Kind(name="chat", server=Chat, client=Chat, role="commenter", durable=True, about="a word among people"),
    Kind(name="command", server=Command, client=Command, role="driver", durable=True, about="a prompt, queued"),
    Kind(name="interrupt", server=Interrupt, client=Interrupt, role="driver", durable=True, about="end the turn"),
    Kind(name="cancel", client=Cancel, role="driver", about="take a prompt of yours back; the owner: anybody's"),
    Kind(name="resume", client=ResumeQueue, role="driver", about="let the queue go on after an interrupt"),
    Kind(name="keys", client=Keys, role="driver", hands=True, about="type into the terminal"),
    Kind(name="typing", server=Typing, client=Typing, role="observer", about="somebody writes"),
    Kind(name="name", client=SetName, role="observer", about="call yourself something else"),
    Kind(name="resync", client=Resync, role="observer", about="send the whole screen again"),
)  # fmt: skip

BY_NAME: Final = {kind.name: kind for kind in KINDS}
DURABLE: Final = frozenset(kind.name for kind in KINDS if kind.durable)


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which something can be refused: over HTTP as `status`, on a socket as close code or `error`."""

    name: str
    status: int
    close: int
    reconnect: str
    """yes, no, or after (wait for `retry_after`)."""
    about: str


CODES: Final = (
    Code(name="BAD_MESSAGE", status=400, close=4400, reconnect="no", about="not understood"),
    Code(name="UNAUTHENTICATED", status=401, close=4401, reconnect="no", about="join first"),
    Code(name="FORBIDDEN", status=403, close=4403, reconnect="no", about="your role or origin may not"),
    Code(name="NO_SUCH_SHARE", status=404, close=4404, reconnect="no", about="no such share, or a wrong secret"),
    Code(name="NOT_APPROVED", status=403, close=4407, reconnect="after", about="the owner has not let you in"),
    Code(name="SLOW_CONSUMER", status=408, close=4408, reconnect="yes", about="you read too slowly"),
    Code(name="DUPLICATE", status=409, close=4409, reconnect="yes", about="this key was used for something else"),
    Code(name="REVOKED", status=410, close=4410, reconnect="no", about="your access was withdrawn"),
    Code(name="EXPIRED", status=410, close=4411, reconnect="no", about="the link or the share has expired"),
    Code(name="TOO_LARGE", status=413, close=4413, reconnect="no", about="the message is too large"),
    Code(name="RATE_LIMITED", status=429, close=4429, reconnect="after", about="too many, wait"),
    Code(name="FULL", status=503, close=4430, reconnect="after", about="as many as allowed are here"),
    Code(name="UNAVAILABLE", status=503, close=4503, reconnect="after", about="the owner or the store is away"),
    Code(name="ENDED", status=410, close=4000, reconnect="no", about="the share has ended"),
)  # fmt: skip

CODE: Final = {code.name: code for code in CODES}


# ── HTTP bodies ────────────────────────────────────────────────────────────────────────────────


class Join(msgspec.Struct, frozen=True, kw_only=True):
    """Exchange the secret after `#` in a link for a session."""

    secret: Annotated[str, Meta(min_length=1, max_length=128)]
    name: Name = ""
    bearer: bool = False
    """Answer with a token for `Authorization: Bearer`; for programs, refused when there is an Origin."""


class JoinCode(msgspec.Struct, frozen=True, kw_only=True):
    """Ask to be let in with a typed code; the owner must approve."""

    code: Annotated[str, Meta(min_length=4, max_length=32)]
    name: Name = ""
    bearer: bool = False


class Joined(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    share: str
    participant: str
    role: str
    name: str
    csrf: str
    expires_at: float
    pending: bool = False
    words: str = ""
    token: str = ""


class Me(msgspec.Struct, frozen=True, kw_only=True):
    share: str
    participant: str
    name: str
    role: str
    pending: bool
    hands: bool
    session: str
    provider: str
    expires_at: float
    last_seq: int
    csrf: str = ""
    """For pages, which came with a cookie; empty for programs."""


class Messages(msgspec.Struct, frozen=True, kw_only=True):
    """Events of the log, oldest first. `next` is the `since`, or `before`, of the next page; 0 at the end."""

    messages: tuple[Envelope, ...]
    next: int = 0


class SharedSession(msgspec.Struct, frozen=True, kw_only=True):
    share: str
    session: str
    claude_session_id: str
    provider: str
    url: str
    """Without the secret, which only its owner was shown."""
    role: str
    expires_at: float
    viewers: int


class SharedSessions(msgspec.Struct, frozen=True, kw_only=True):
    sessions: tuple[SharedSession, ...]
