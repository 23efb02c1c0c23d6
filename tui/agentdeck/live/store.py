"""All live sessions, by provider and id, and what time alone concludes of them: idle, ended, forgotten.

One writer: whoever follows the transcripts. Sessions that rest for long are dropped; their transcripts remain.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from agentdeck import events as e
from agentdeck.live.session import LiveSession

IDLE_AFTER: Final = 120.0
"""Seconds without an event, outside of any tool call, after which a session is idle."""

FORGET_AFTER: Final = 2 * 24 * 3600.0
"""Seconds without an event after which a session is dropped from memory."""

KEPT: Final = 500
"""Sessions in memory; the ones that rested longest go first."""

Key = tuple[str, str]


class LiveStore:
    def __init__(self, *, idle_after: float = IDLE_AFTER, forget_after: float = FORGET_AFTER, kept: int = KEPT) -> None:
        self.sessions: dict[Key, LiveSession] = {}
        self._idle_after = idle_after
        self._forget_after = forget_after
        self._kept = kept

    def apply(self, event: e.AnyEvent) -> list[e.AnyEvent]:
        """Fold an event; return it, completed, and what follows from it. Nothing for one that says nothing."""
        if not event.session:
            return []
        key = event.provider, event.session
        session = self.sessions.get(key)
        if session is None:
            session = self.sessions[key] = LiveSession(event.provider, event.session)
        return session.apply(event)

    def tick(self, now: datetime) -> list[e.AnyEvent]:
        """Conclude what time alone concludes, and forget what rests too long."""
        told: list[e.AnyEvent] = []
        for key, session in list(self.sessions.items()):
            rests = (now - session.last_at).total_seconds() if session.last_at is not None else 0.0
            if rests > self._forget_after:
                del self.sessions[key]
            elif rests > self._idle_after and not session.idle and session.ended is None and not session.pending:
                event = e.SessionIdled(provider=session.provider, session=session.id, at=now, seconds=rests)
                told += session.apply(event)
        excess = len(self.sessions) - self._kept
        if excess > 0:
            oldest = datetime.min.replace(tzinfo=UTC)
            for key in sorted(self.sessions, key=lambda key: self.sessions[key].last_at or oldest)[:excess]:
                del self.sessions[key]
        return told

    def end(self, key: Key, *, reason: str, confidence: float, at: datetime) -> list[e.AnyEvent]:
        """A signal says that a session is over. A surer one may still come; a less sure one changes nothing."""
        session = self.sessions.get(key)
        if session is None or (session.ended is not None and session.ended.confidence >= confidence):
            return []
        return session.apply(
            e.SessionEnded(provider=key[0], session=key[1], at=at, reason=reason, confidence=confidence)
        )

    def idle_in(self, now: datetime) -> timedelta | None:
        """When the next session becomes idle, so that nobody has to look before; None when none will."""
        waits = [
            session.last_at + timedelta(seconds=self._idle_after) - now
            for session in self.sessions.values()
            if session.last_at is not None and not session.idle and session.ended is None
        ]
        return max(timedelta(0), min(waits)) if waits else None
