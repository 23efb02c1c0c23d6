"""What a part of the hub is that answers questions of its own kind: facts, approvals, queues.

The hub itself knows sessions and screens. Everything else is a desk: it names the requests that it answers and is told
what happens around it. A new capability is a module with a desk and one row in the hub's list.
"""

from collections.abc import Coroutine
from typing import Any

from agentdeck.errors import ProtocolError
from agentdeck.hub.peer import Peer
from agentdeck.hub.session import LiveSession
from agentdeck.protocol import messages as m
from agentdeck.protocol.base import Request

Answer = m.AnyReply | Coroutine[Any, Any, m.AnyReply]


class Desk:
    """A desk that hears of nothing; each overrides what concerns it."""

    requests: tuple[type[Request], ...] = ()
    """What `answer` is asked."""

    def start(self) -> None:
        """The hub is up and has found its sessions."""

    def stop(self) -> None:
        """The hub ends."""

    def answer(self, peer: Peer, request: m.AnyRequest) -> Answer:
        """Answer one of `requests`. Raises an `AgentdeckError` that the client is told."""
        raise ProtocolError(f"{type(request).__name__} is nobody's business here")

    def gone(self, peer: Peer) -> None:
        """A client has left."""

    def changed(self, session: LiveSession) -> None:
        """One of our sessions was started, ended, or changed in what clients know of it."""
