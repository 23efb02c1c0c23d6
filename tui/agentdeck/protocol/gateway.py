"""What the hub and its gateway say to each other, over a unix socket that only the owner can open.

The hub decides everything: it knows secrets only by their hashes, who has which role, and what may leave. The gateway
carries: it gets finished, redacted bodies, as JSON, and hands back what people want. Messages are framed as everywhere.
"""

from typing import Final

import msgspec

from agentdeck.protocol import viewers as v
from agentdeck.protocol.screen import Frame

VERSION: Final = 1


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="is"):
    pass


class Question(Message, frozen=True, kw_only=True):
    id: int
    """The answer repeats it."""


# ── from the hub ───────────────────────────────────────────────────────────────────────────────


class Setup(Message, frozen=True, kw_only=True, tag="setup"):
    version: int
    owner_token: str
    """SHA-256 of what the owner's scripts send as Bearer; only from this machine."""
    max_viewers: int = 1000
    shares: tuple[str, ...] = ()
    """What is shared: each comes as `Opened`. Until then its viewers are asked to wait."""


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A person who may be here. `token` and `csrf` are SHA-256 of theirs."""

    participant: str
    name: str
    role: str
    token: str
    csrf: str
    hands: bool = False
    pending: bool = False
    words: str = ""


class Opened(Message, frozen=True, kw_only=True, tag="opened"):
    """A share is here, whole: also sent again after a gateway was started anew."""

    share: str
    epoch: str
    session: str
    provider: str
    provider_session: str
    role: str
    expires_at: float
    last_seq: int
    servers: tuple[str, ...] = ()
    """The doors by which it may be reached, besides from this machine: lan, or the URL of a proxy."""
    grants: tuple[Grant, ...] = ()


class Reached(Message, frozen=True, kw_only=True, tag="reached"):
    """A share may be reached by these doors now."""

    share: str
    servers: tuple[str, ...]


class Granted(Message, frozen=True, kw_only=True, tag="granted"):
    share: str
    grant: Grant


class Removed(Message, frozen=True, kw_only=True, tag="removed"):
    """This person is out: close the sockets with this code."""

    share: str
    participant: str
    code: str
    text: str = ""


class Closed(Message, frozen=True, kw_only=True, tag="closed"):
    share: str
    code: str
    text: str
    id: int = 0
    """Answer with `Done` when the sockets are closed."""


class Drawn(Message, frozen=True, kw_only=True, tag="drawn"):
    """A redacted frame; `full` has every row."""

    share: str
    frame: Frame


class Event(msgspec.Struct, frozen=True, array_like=True):
    """One event of the log; `text` is its whole envelope as JSON."""

    seq: int
    kind: str
    text: bytes


class Logged(Message, frozen=True, kw_only=True, tag="logged"):
    """Durable events, in the order of the log."""

    share: str
    events: tuple[Event, ...]
    old: bool = False
    """They were told before; only to fill the memory of a gateway that was started anew."""


class Told(Message, frozen=True, kw_only=True, tag="told"):
    """The newest value of a kind that is not durable. `to`: only for this person."""

    share: str
    kind: str
    body: bytes
    to: str = ""
    by: str = ""


class Answer(Message, frozen=True, kw_only=True, tag="answer"):
    """To a `Question`: a body, or a problem."""

    id: int
    body: bytes = b"{}"
    problem: v.Problem | None = None


class End(Message, frozen=True, kw_only=True, tag="end"):
    """Nothing is shared any more: close everything and leave."""


FromHub = Setup | Opened | Reached | Granted | Removed | Closed | Drawn | Logged | Told | Answer | End


# ── from the gateway ───────────────────────────────────────────────────────────────────────────


class Ready(Message, frozen=True, kw_only=True, tag="ready"):
    version: int
    pid: int
    url: str
    """Scheme, host and port under which it can be reached from this machine. Said again when anything here changes."""
    lan: str = ""
    """The same for other machines; empty: they have no door."""
    fingerprint: str = ""
    """SHA-256 of the certificate that they are shown, in hex."""
    self_signed: bool = False
    """Nobody vouches for it: links carry its fingerprint."""


class AskJoin(Question, frozen=True, kw_only=True, tag="ask_join"):
    share: str
    secret: str
    """SHA-256 of it; hex."""
    name: str
    address: str
    door: str
    """By which door they come: local, lan, or the URL of a proxy."""
    token: str
    csrf: str
    """SHA-256 of the session's token and csrf value, which the gateway made."""


class AskCode(Question, frozen=True, kw_only=True, tag="ask_code"):
    code: str
    """SHA-256 of the normalised code."""
    name: str
    address: str
    door: str
    token: str
    csrf: str


class AskLog(Question, frozen=True, kw_only=True, tag="ask_log"):
    share: str
    since: int
    count: int
    kinds: tuple[str, ...] = ()
    before: int = 0
    """Not 0: the newest `count` events before this one."""


class Wants(Question, frozen=True, kw_only=True, tag="wants"):
    """Somebody wants something; its kind and body are already known to be well formed."""

    share: str
    participant: str
    kind: str
    key: str
    body: bytes


class Online(Message, frozen=True, kw_only=True, tag="online"):
    """How many sockets somebody has open now."""

    share: str
    participant: str
    sockets: int


class Finished(Message, frozen=True, kw_only=True, tag="finished"):
    """The sockets of a `Closed` share are closed."""

    id: int


class Replaced(Message, frozen=True, kw_only=True, tag="replaced"):
    """Another hub has come: what is shared is its own now. Do not come back by yourself."""


FromGateway = Ready | AskJoin | AskCode | AskLog | Wants | Online | Finished | Replaced
