"""A peer inside the hub itself: it hears what every client hears, without a connection."""

from collections.abc import Callable

from agentdeck.hub.peer import Peer
from agentdeck.protocol import messages as m


class Tap(Peer):
    """The peer through which a shared session is looked at."""

    def __init__(self, take: Callable[[m.AnyReply], None], writable: Callable[[], bool]) -> None:
        super().__init__(lambda peer, request: None, lambda peer: None)
        self._take = take
        self._may_write = writable

    def send(self, message: m.AnyReply) -> None:
        self._take(message)

    @property
    def writable(self) -> bool:
        return self._may_write()

    @writable.setter
    def writable(self, value: bool) -> None:
        pass
