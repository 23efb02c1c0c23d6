"""Interrupts that say first what they end, and can wait for the call that runs.

After one, the session's queue is held: what waited was meant for after the turn, not instead of it.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from agentdeck import events as e
from agentdeck.errors import SessionError
from agentdeck.hub import verbs
from agentdeck.hub.facts import FactsDesk
from agentdeck.hub.roster import Roster
from agentdeck.hub.session import LiveSession
from agentdeck.live.wording import subject
from agentdeck.protocol import messages as m
from agentdeck.protocol import queue as q


class Interrupts:
    def __init__(
        self,
        roster: Roster,
        facts: FactsDesk,
        *,
        later: Callable[[Coroutine[Any, Any, None]], None],
        push: Callable[[m.AnyReply], None],
    ) -> None:
        self._roster = roster
        self._facts = facts
        self._later = later
        self._push = push
        self._after: dict[str, set[str]] = {}
        """Sessions that are interrupted once these calls have returned."""
        self._held: dict[str, bool] = {}
        """Sessions whose queue is held, and whether they have come to rest since."""

    def told(self, session: LiveSession, queued: int) -> q.InterruptTold:
        """What an interrupt would end. The calls are those of the transcript: empty where none tells."""
        live = self._facts.live(session.info.id)
        pending = list(live.pending.values()) if live is not None else []
        return q.InterruptTold(
            session=session.info.id,
            state=session.info.state,
            tools=tuple(f"{call.tool} {subject(call, session.info.cwd)}".strip() for call in pending if not call.agent),
            agents=len({call.agent for call in pending if call.agent}),
            queued=queued,
        )

    def interrupt(self, session: LiveSession, *, after_tool: bool) -> m.AnyReply:
        """Raises `SessionError` when it shall wait for a call and none runs."""
        name = session.info.id
        if not after_tool:
            self._now(session)
            return m.Done(session=name)
        live = self._facts.live(name)
        calls = {call.call for call in live.pending.values() if not call.agent} if live is not None else set()
        if not calls:
            raise SessionError(f"no call of {session.info.name} runs now", hint="interrupt it at once instead")
        self._after[name] = calls
        self._facts.listen("interrupts", self._hear)
        return m.Done(session=name, note="it is interrupted when the call has returned")

    def changed(self, session: LiveSession) -> None:
        """A turn that has ended needs no interrupt any more."""
        name = session.info.id
        if name in self._held:
            rests = session.info.state != "working"
            if self._held[name] and not rests:
                self.go_on(name)  # somebody has begun another turn
            else:
                self._held[name] = rests
        if name in self._after and session.info.state in ("idle", "done", "exited", "error"):
            self._forget(name)

    def holds(self, name: str) -> bool:
        return name in self._held

    def go_on(self, name: str) -> None:
        """Somebody wants the queue of this session to go on."""
        self._held.pop(name, None)

    def stop(self) -> None:
        self._after.clear()

    def _hear(self, name: str, event: e.AnyEvent) -> None:
        waited = self._after.get(name)
        if waited is None or not isinstance(event, e.ToolReturned) or event.call not in waited:
            return
        waited.discard(event.call)
        session = self._roster.sessions.get(name)
        if not waited:
            self._forget(name)
            if session is not None and session.running:
                self._now(session)
                self._push(m.Notice(text="interrupted, now that the call has returned", session=name))

    def _forget(self, name: str) -> None:
        self._after.pop(name, None)
        if not self._after:
            self._facts.listen("interrupts", None)

    def _now(self, session: LiveSession) -> None:
        self._held[session.info.id] = session.info.state != "working"
        verbs.act(session, m.Interrupt(session=session.info.id), self._later)
