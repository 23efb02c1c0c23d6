"""All live sessions, by provider and id, and what time and other signs conclude of them: idle, ended, forgotten.

One writer: whoever follows the transcripts. A session that rests keeps only its newest messages; one that rests for
long is dropped, and its transcript remains. Nothing here reads a clock or a file.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from agentdeck import events as e
from agentdeck.live.session import LiveSession, rests_since
from agentdeck.transcripts.ending import Rules, Signs, judge

FORGET_AFTER: Final = 2 * 24 * 3600.0
"""Seconds without an event after which a session is dropped from memory."""

KEPT: Final = 500
"""Sessions in memory; the ones that rested longest go first."""

ROOM: Final = 50_000_000
"""Characters that all of them together may hold; beyond that, those that rested longest keep only their newest."""

CROWD: Final = 100
"""So many more may come while a history is read, before the number is brought down again."""

WHOLE: Final = 50
"""Sessions that keep more than their newest messages and calls while a history is read."""

PATIENCE: Final = 3600.0
"""Seconds without an event after which a call without a result no longer keeps a session from being idle."""

SETTLE_AFTER: Final = 5.0
"""Seconds for which results wait for their calls."""

Key = tuple[str, str]
"""Provider and the provider's own session id."""


def small_window(provider: str, model: str) -> int:
    """The window of a context when nobody knows better."""
    return 200_000


@dataclass(slots=True)
class _Known:
    """What the store knows of a session beyond its events."""

    session: LiveSession
    signs: Signs
    model: str = ""
    news: bool = True
    """Something came since the last tick."""
    heard: datetime | None = None
    """The tick after which nothing came any more."""
    settle_at: datetime | None = None
    """When results that wait for their calls have waited long enough."""


class LiveStore:
    """`rules` say when a session is idle or over; `window` tells the size of a context by provider and model."""

    def __init__(
        self,
        *,
        rules: Rules | None = None,
        forget_after: float = FORGET_AFTER,
        kept: int = KEPT,
        window: Callable[[str, str], int] = small_window,
    ) -> None:
        self.sessions: dict[Key, LiveSession] = {}
        self.rules = rules or Rules()
        self._forget_after = forget_after
        self._kept = kept
        self._window = window
        self._known: dict[Key, _Known] = {}

    def apply(self, event: e.AnyEvent) -> list[e.AnyEvent]:
        """Fold an event; return it, completed, and what follows from it. Nothing for one that names no session."""
        if not event.session:
            return []
        key = event.provider, event.session
        known = self._known.get(key)
        if known is None:
            session = LiveSession(*key, window=self._window(event.provider, ""))
            known = self._known[key] = _Known(session, Signs(rests=0.0))
            self.sessions[key] = session
            if len(self.sessions) > self._kept + CROWD:
                self._make_room(key)
        known.news = True
        if isinstance(event, e.MessageAdded) and not event.agent and event.model not in ("", known.model):
            known.model = event.model
            if not known.session.context.assumed:
                known.session.context.window = self._window(event.provider, event.model)
        told = known.session.apply(event)
        if any(isinstance(each, e.SessionResumed) for each in told):
            known.signs = replace(known.signs, process=known.signs.process or None, open=None, explicit=False)
        return told

    def sign(
        self, key: Key, *, process: bool | None = None, open: bool | None = None, explicit: bool | None = None
    ) -> None:
        """Take note of what is known about a session's process; the next `tick` draws the conclusion.

        What is not given stays as it was. See `agentdeck.transcripts.ending.Signs`.
        """
        known = self._known.get(key)
        if known is None:
            return
        given = {"process": process, "open": open, "explicit": explicit}
        known.signs = replace(known.signs, **{name: value for name, value in given.items() if value is not None})

    def tick(self, now: datetime) -> list[e.AnyEvent]:
        """Conclude what time and signs conclude, and forget what rests too long. Once a second is often enough."""
        told: list[e.AnyEvent] = []
        for key, known in list(self._known.items()):
            told += self._settle(known, now)
            rests = rests_since(known.session, now).total_seconds()
            if known.news or known.heard is None:
                known.news, known.heard = False, now
            if min(rests, (now - known.heard).total_seconds()) > self._forget_after:
                self.forget(key)
            else:
                told += self._judge(known, rests, now)
        self.prune()
        return told

    def end(self, key: Key, *, reason: str, confidence: float, at: datetime) -> list[e.AnyEvent]:
        """Somebody else knows that a session is over.

        Nothing follows from an end that is less sure than the rules want, or no surer than the one that was told.
        """
        known = self._known.get(key)
        if known is None or confidence < self.rules.least or not _is_news(known.session, confidence):
            return []
        ended = e.SessionEnded(provider=key[0], session=key[1], at=at, reason=reason, confidence=confidence)
        return [*known.session.settle(), *known.session.apply(ended)]

    def forget(self, key: Key) -> None:
        self.sessions.pop(key, None)
        self._known.pop(key, None)

    def prune(self) -> None:
        """Drop the sessions that rested longest, beyond the number that is kept; and what they hold beyond `ROOM`."""
        if len(self.sessions) > self._kept:
            for key in self._by_rest()[: len(self.sessions) - self._kept]:
                self.forget(key)
        held = sum(session.size for session in self.sessions.values())
        for key in self._by_rest()[:-1] if held > ROOM else ():
            session = self.sessions[key]
            held -= session.size
            session.rest()
            held += session.size
            if held <= ROOM:
                break

    def idle_in(self, now: datetime) -> timedelta | None:
        """When time alone may next change something, so that nobody has to look before; None when it will not."""
        waits = [
            again
            for known in self._known.values()
            if known.session.last_at is not None
            and (again := judge(_signs(known, rests_since(known.session, now).total_seconds()), self.rules).again)
        ]
        return timedelta(seconds=min(waits)) if waits else None

    def _make_room(self, spared: Key) -> None:
        """While a history is read no time passes, so the number is brought down here."""
        keys = [key for key in self._by_rest() if key != spared]
        excess = len(self.sessions) - self._kept
        for key in keys[:excess]:
            self.forget(key)
        for key in keys[excess:-WHOLE]:
            self.sessions[key].rest()

    def _by_rest(self) -> list[Key]:
        """Keys of all sessions, the one that rested longest first."""
        oldest = datetime.min.replace(tzinfo=UTC)
        return sorted(self.sessions, key=lambda key: self.sessions[key].last_at or oldest)

    def _judge(self, known: _Known, rests: float, now: datetime) -> list[e.AnyEvent]:
        session, told = known.session, list[e.AnyEvent]()
        verdict = judge(_signs(known, rests), self.rules)
        if verdict.idle and not session.idle and session.ended is None:
            session.rest()
            told += session.apply(e.SessionIdled(provider=session.provider, session=session.id, at=now, seconds=rests))
        if verdict.ending is not None and _is_news(session, verdict.ending.confidence):
            reason, confidence = verdict.ending
            told += self.end((session.provider, session.id), reason=reason, confidence=confidence, at=now)
        return told

    def _settle(self, known: _Known, now: datetime) -> list[e.AnyEvent]:
        if not known.session.has_orphans:
            known.settle_at = None
        elif known.settle_at is None:
            known.settle_at = now + timedelta(seconds=SETTLE_AFTER)
        elif now >= known.settle_at:
            known.settle_at = None
            return known.session.settle()
        return []


def _signs(known: _Known, rests: float) -> Signs:
    return replace(known.signs, rests=rests, pending=bool(known.session.pending) and rests < PATIENCE)


def _is_news(session: LiveSession, confidence: float) -> bool:
    return session.ended is None or confidence > session.ended.confidence
