"""Every conversation of this machine, to be searched by clients, which read no files.

A question runs in a thread and is called off when the same client asks the next one: a person types faster than a
gigabyte is looked through. While somebody searches, a process of its own keeps the index up to date.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Final

import msgspec

from agentdeck.errors import SessionError
from agentdeck.hub.desk import Answer, Desk
from agentdeck.hub.peer import Peer
from agentdeck.hub.resuming import resume_conversation
from agentdeck.hub.roster import Roster
from agentdeck.hub.worker import Worker
from agentdeck.paths import Paths
from agentdeck.processes.look import Look, system_look
from agentdeck.protocol import messages as m
from agentdeck.protocol import search as se
from agentdeck.protocol.worker import AnyFrame, Indexed
from agentdeck.search.ask import Hit
from agentdeck.search.inquiry import Inquiry
from agentdeck.search.names import Names

LINGER: Final = 30.0
"""Seconds for which the index is kept up to date when nobody searches any more."""

MOST: Final = 1000
"""Hits of one answer."""


class SearchDesk(Desk):
    requests = (se.OpenSearch, se.Search, se.ReadNames, se.ResumeFound)

    def __init__(
        self, paths: Paths, roster: Roster, problem: Callable[[str], None], *, look: Look | None = None
    ) -> None:
        self._path = paths.state / "search.db"
        self._roster = roster
        self._problem = problem
        self._look = look or system_look()
        self._searching: set[Peer] = set()
        self._asked: dict[Peer, Inquiry] = {}
        """Each client's last question, while it is looked into."""
        self._names = Names(self._path)
        self._naming = asyncio.Lock()
        self._told = se.Indexing()
        self._idle: asyncio.TimerHandle | None = None
        self.indexer = Worker(
            lambda: (str(self._path), str(paths.config)),
            began=lambda: None,
            take=self._take,
            problem=problem,
            module="agentdeck.worker.indexing",
            purpose="what is said now cannot be searched",
        )

    def stop(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        for inquiry in self._asked.values():
            inquiry.cancel()
        self.indexer.stop()
        self._told = se.Indexing()

    def gone(self, peer: Peer) -> None:
        if (inquiry := self._asked.pop(peer, None)) is not None:
            inquiry.cancel()
        self._leave(peer)

    def answer(self, peer: Peer, request: m.AnyRequest) -> Answer:
        match request:
            case se.OpenSearch():
                return self._enter(peer) if request.on else self._leave(peer)
            case se.Search():
                return self._search(peer, request)
            case se.ReadNames():
                return self._read_names(request)
            case se.ResumeFound():
                return self._resume(request)
        raise SessionError(f"{type(request).__name__} is no question about conversations", hint="")

    # ── the index ──────────────────────────────────────────────────────────────────────────────

    def _enter(self, peer: Peer) -> se.Indexing:
        self._searching.add(peer)
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        self.indexer.start()
        return _copy(self._told)

    def _leave(self, peer: Peer) -> se.Indexing:
        self._searching.discard(peer)
        if not self._searching and self.indexer.running and self._idle is None:
            self._idle = asyncio.get_running_loop().call_later(LINGER, self.stop)
        return _copy(self._told)

    def _take(self, frame: AnyFrame) -> None:
        if isinstance(frame, Indexed):
            if frame.problem:
                self._problem(frame.problem)
            self._told = se.Indexing(
                done=frame.done, of=frame.of, complete=frame.complete, empty=frame.empty, problem=frame.problem
            )
            for peer in self._searching:
                peer.send(self._told)

    # ── questions ──────────────────────────────────────────────────────────────────────────────

    async def _search(self, peer: Peer, request: se.Search) -> se.Hits:
        if (before := self._asked.pop(peer, None)) is not None:
            before.cancel()
        loop, count = asyncio.get_running_loop(), max(1, min(request.count, MOST))

        def problem(text: str) -> None:
            loop.call_soon_threadsafe(self._problem, text)

        inquiry = self._asked[peer] = Inquiry(
            self._path, request.text, problem, count=count + 1, each=request.each, within=request.within
        )
        try:
            hits = await asyncio.to_thread(inquiry.run)
        finally:
            if self._asked.get(peer) is inquiry:
                del self._asked[peer]
        return se.Hits(
            text=request.text,
            places=tuple(map(_place, hits[:count])),
            more=len(hits) > count,
            fuller=tuple(sorted(inquiry.fuller)),
            outdated=inquiry.cancelled,
        )

    async def _read_names(self, request: se.ReadNames) -> se.Names:
        async with self._naming:
            return se.Names(names=await asyncio.to_thread(self._names.read, request.keys[:MOST]))

    async def _resume(self, request: se.ResumeFound) -> m.AnyReply:
        for session in self._roster.running:
            if (session.provider.family, session.info.resume_id) == (request.provider, request.session):
                raise SessionError(
                    f"session {session.info.name} has this conversation",
                    hint=f"agentdeck attach {session.info.id} opens it",
                )
        if not request.cwd:
            raise SessionError("nobody knows in which directory this conversation was", hint="")
        spawn = m.Spawn(
            provider=request.provider,
            cwd=request.cwd,
            env=request.env,
            resume=request.session,
            cols=request.cols,
            rows=request.rows,
        )
        return await resume_conversation(self._roster, self._look, spawn, {**os.environ, **request.env})


def _copy(told: se.Indexing) -> se.Indexing:
    """An answer of its own: it gets the number of its request."""
    return msgspec.structs.replace(told)


def _place(hit: Hit) -> se.Place:
    return se.Place(
        hit.provider,
        hit.session,
        hit.project,
        hit.at / 1000,
        hit.role,
        hit.agent,
        hit.turn if hit.turn is not None else -1,
        hit.snippet,
        hit.marks,
    )
