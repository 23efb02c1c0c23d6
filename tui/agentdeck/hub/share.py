"""The desk for sharing, which loads what it needs when somebody shares: who never does pays nothing for it."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from agentdeck.hub.desk import Answer, Desk
from agentdeck.hub.facts import FactsDesk
from agentdeck.hub.peer import Peer
from agentdeck.hub.roster import Roster
from agentdeck.hub.session import LiveSession
from agentdeck.paths import Paths
from agentdeck.protocol import messages as m
from agentdeck.protocol import share as s
from agentdeck.share.meeting import LIST

if TYPE_CHECKING:
    from agentdeck.hub.share_owner import Owner
    from agentdeck.hub.shares import Shares


class ShareDesk(Desk):
    requests = (
        s.Share, s.Unshare, s.ListShares, s.Invite, s.Revoke, s.Kick, s.Admit, s.SetRole, s.Say, s.CancelPrompt,
        s.MovePrompt, s.PauseQueue, s.Panic, s.FollowShare, s.ReadShare, s.AllowRepository, s.ListRepositories,
    )  # fmt: skip

    def __init__(
        self, paths: Paths, roster: Roster, facts: FactsDesk, queue: Desk, *, peers: set[Peer],
        later: Callable[[Coroutine[Any, Any, None]], None], push: Callable[[m.AnyReply], None],
        problem: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._paths = paths
        self._around = (paths, roster, facts, queue, peers, later, push, problem)
        self._owner: Owner | None = None

    @property
    def owner(self) -> "Owner":
        if self._owner is None:
            from agentdeck.hub.share_owner import Owner
            from agentdeck.hub.shares import Around

            self._owner = Owner(Around(*self._around))
        return self._owner

    @property
    def shares(self) -> "Shares":
        return self.owner.shares

    def start(self) -> None:
        """Go on with what an earlier hub shared."""
        if self._paths.config.with_name(LIST).exists():
            self.shares.start()

    def stop(self) -> None:
        if self._owner is not None:
            self._owner.stop()

    def answer(self, peer: Peer, request: m.AnyRequest) -> Answer:
        return self.owner.answer(peer, request)

    def gone(self, peer: Peer) -> None:
        if self._owner is not None:
            self._owner.gone(peer)

    def changed(self, session: LiveSession) -> None:
        if self._owner is not None:
            self._owner.shares.changed(session)
