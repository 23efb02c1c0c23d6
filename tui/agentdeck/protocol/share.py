"""Sharing, between the hub and its own clients: the deck and the commands of the owner.

What viewers say and hear is `protocol.viewers`; what the gateway and the hub say to each other is `protocol.gateway`.
"""

import msgspec

from agentdeck.protocol.base import Reply, Request


class ShareRequest(Request, kw_only=True):
    session: str
    """Our id, the CLI's own session id, or `provider:id` of one that was started elsewhere."""


class Share(ShareRequest, tag="share"):
    """Share a session. Sharing it again answers with the same link. Raises `RepositoryError` when its repository has
    not been allowed for this server."""

    role: str = "observer"
    expires: float = 24 * 3600.0
    """Seconds, a day at most."""
    max_uses: int = 16
    """How many people the link lets in."""
    approve: bool = False
    """The owner must let in everybody who comes, not only who comes with a code."""
    lan: bool = False
    """Let other machines in, with TLS."""
    host: str = ""
    """For `lan`: what the link names, and if it is an address of this machine, where alone they come in."""
    cert: str = ""
    key: str = ""
    """Files with a certificate chain and its key, for `lan`. Without them the gateway makes a certificate."""
    url: str = ""
    """What a trusted proxy on this machine is called: https://name.example."""


class Unshare(ShareRequest, tag="unshare"):
    """End a share; an empty session is all of them. Answered when its last byte has been sent."""

    server: str = ""
    purge: bool = False
    """Also delete its log."""


class ListShares(Request, tag="shares"):
    """Ask for `SharesTold`."""


class Invite(ShareRequest, tag="invite"):
    """Make another link. Answered with `Shared`."""

    role: str = "observer"
    expires: float = 24 * 3600.0
    max_uses: int = 1
    approve: bool = False
    code: bool = False
    """Make a typed code instead: whoever types it waits for the owner's approval."""


class Revoke(ShareRequest, tag="revoke"):
    """Withdraw an invite and everybody who came by it; an empty invite is all of them."""

    invite: str = ""


class Kick(ShareRequest, tag="kick"):
    participant: str
    """An id, or a name that only one has."""


class Admit(ShareRequest, tag="admit"):
    """The owner's answer to a guest who waits."""

    participant: str
    on: bool = True
    role: str = ""
    """Empty: what the invite says."""


class SetRole(ShareRequest, tag="set_role"):
    participant: str
    role: str
    hands: bool = False
    """A driver who may also press keys."""


class Say(ShareRequest, tag="say"):
    """The owner's word in the chat."""

    text: str


class CancelPrompt(ShareRequest, tag="cancel_guest_prompt"):
    item: str


class MovePrompt(ShareRequest, tag="move_guest_prompt"):
    item: str
    position: int
    """1 is next."""


class PauseQueue(ShareRequest, tag="pause_guest_queue"):
    on: bool


class Panic(Request, tag="panic"):
    """End every share at once: sockets first, everything else after."""


class FollowShare(ShareRequest, tag="follow_share"):
    """Push `ShareTold` now and on every change, and `ShareEvents` as they come. An empty session is every share, also
    those to come; it is answered with `SharesTold`."""

    on: bool = True


class ReadShare(ShareRequest, tag="read_share"):
    """Ask for `ShareEvents`: events after `since`."""

    since: int = 0
    count: int = 200


class AllowRepository(Request, tag="allow_repository"):
    path: str
    on: bool = True
    server: str = "local"


class ListRepositories(Request, tag="repositories"):
    """Ask for `RepositoriesTold`."""


# ── replies ────────────────────────────────────────────────────────────────────────────────────


class InviteTold(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    role: str
    created: float
    expires_at: float
    uses: int
    max_uses: int
    code: bool = False
    revoked: bool = False


class PersonTold(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    role: str
    invite: str
    address: str = ""
    joined: float = 0.0
    online: int = 0
    """Sockets."""
    pending: bool = False
    words: str = ""
    hands: bool = False
    gone: str = ""
    """kicked, revoked or empty."""
    typing: bool = False


class PromptTold(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    by: str
    name: str
    text: str
    state: str
    position: int = 0
    at: float = 0.0


class ShareFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One share as its owner sees it."""

    share: str
    session: str
    """Our id or `provider:id`."""
    provider_session: str
    name: str
    url: str
    """The first link with its secret; without it when the hub was started anew since."""
    role: str
    created: float
    expires_at: float
    server: str
    viewers: int = 0
    invites: tuple[InviteTold, ...] = ()
    people: tuple[PersonTold, ...] = ()
    queue: tuple[PromptTold, ...] = ()
    paused: bool = False
    waits_for: str = ""
    last_seq: int = 0
    problem: str = ""


class Shared(Reply, tag="shared"):
    share: str
    url: str
    code: str
    role: str
    expires_at: float
    invite: str
    session: str = ""
    near: str = ""
    """Scheme, host and port of the gateway on this machine: where a proxy passes requests on to."""
    fingerprint: str = ""
    """SHA-256 of the certificate that other machines are shown, in hex."""
    again: bool = False
    """It was shared before: this is the link that it had."""


class SharesTold(Reply, tag="shares_told"):
    shares: tuple[ShareFacts, ...]


class ShareTold(Reply, tag="share_told"):
    facts: ShareFacts


class ShareGone(Reply, tag="share_gone"):
    share: str
    session: str
    text: str


class ShareEvent(msgspec.Struct, frozen=True, kw_only=True):
    seq: int
    kind: str
    at: float
    by: str
    name: str
    text: str


class ShareEvents(Reply, tag="share_events"):
    share: str
    session: str
    events: tuple[ShareEvent, ...]


class RepositoriesTold(Reply, tag="repositories_told"):
    repositories: dict[str, tuple[str, ...]]
    """By server."""


ShareRequests = (
    Share | Unshare | ListShares | Invite | Revoke | Kick | Admit | SetRole | Say | CancelPrompt | MovePrompt
    | PauseQueue | Panic | FollowShare | ReadShare | AllowRepository | ListRepositories
)  # fmt: skip

ShareReplies = Shared | SharesTold | ShareTold | ShareGone | ShareEvents | RepositoriesTold
