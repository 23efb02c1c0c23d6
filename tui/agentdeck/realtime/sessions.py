"""The sessions that a program cares about, as snapshots that can be kept: the live store behind a lock and filters."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from threading import RLock

from agentdeck import events as e
from agentdeck.live.health import Health, health_of
from agentdeck.live.session import LiveSession
from agentdeck.live.snapshot import SessionSnapshot
from agentdeck.live.store import FORGET_AFTER, KEPT, LiveStore
from agentdeck.realtime.filters import Filter
from agentdeck.realtime.windows import window
from agentdeck.transcripts.ending import Rules


class LiveSessionManager:
    """Folds events into sessions and forgets those that rest. May be asked from any thread.

    Every watcher has one, `watcher.sessions`. Alone it can be fed with any events, as `watcher.on_any(manager.apply)`
    does; only those that pass all of its filters are folded. `now` is the clock by which sessions rest.
    """

    def __init__(
        self,
        *filters: Filter,
        rules: Rules | None = None,
        forget_after: float = FORGET_AFTER,
        kept: int = KEPT,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._filters = filters
        self._store = LiveStore(rules=rules, forget_after=forget_after, kept=kept, window=window)
        self._now = now
        self._lock = RLock()

    def __len__(self) -> int:
        with self._lock:
            return len(self._store.sessions)

    # ── folding ────────────────────────────────────────────────────────────────────────────────

    def apply(self, event: e.AnyEvent) -> list[e.AnyEvent]:
        """Fold an event; return it, completed where it can be, and what follows from it."""
        with self._lock:
            if self._filters:
                session = self._store.sessions.get((event.provider, event.session)) or _begun(event)
                if not all(fits(event, session) for fits in self._filters):
                    return []
            return self._store.apply(event)

    def prune(self) -> list[e.AnyEvent]:
        """Forget what rests too long; return who became idle or ended meanwhile. A watcher does this by itself."""
        with self._lock:
            return self._store.tick(self._now())

    def sign(
        self,
        provider: str,
        session: str,
        *,
        process: bool | None = None,
        open: bool | None = None,
        explicit: bool | None = None,
    ) -> None:
        """Say what is known about a session's process; the next `prune` draws the conclusion."""
        with self._lock:
            self._store.sign((provider, session), process=process, open=open, explicit=explicit)

    # ── asking ─────────────────────────────────────────────────────────────────────────────────

    def get(self, provider: str, session: str) -> SessionSnapshot | None:
        """Return a session as it is now, by the provider's own id."""
        with self._lock:
            found = self._store.sessions.get((provider, session))
            return found.to_session() if found is not None else None

    def all(self) -> list[SessionSnapshot]:
        """Return every session in memory, the one in which something happened last first."""
        return self._frozen(self._live())

    def active(self) -> list[SessionSnapshot]:
        """Return the sessions that are neither idle nor over."""
        return self._frozen(session for session in self._live() if not session.idle and session.ended is None)

    def in_project(self, directory: str) -> list[SessionSnapshot]:
        """Return the sessions whose working directory is `directory`."""
        return self._frozen(session for session in self._live() if session.cwd == directory)

    def health(self, provider: str, session: str) -> Health | None:
        """Judge how well a session is doing; None when it is not known."""
        with self._lock:
            found = self._store.sessions.get((provider, session))
            return health_of(found, self._now()) if found is not None else None

    def live(self, event: e.AnyEvent) -> LiveSession:
        """Return the live session of an event, for filters; only the thread that folds may use it."""
        with self._lock:
            return self._store.sessions.get((event.provider, event.session)) or _begun(event)

    def _live(self) -> list[LiveSession]:
        with self._lock:
            oldest = datetime.min.replace(tzinfo=UTC)
            return sorted(self._store.sessions.values(), key=lambda each: each.last_at or oldest, reverse=True)

    def _frozen(self, sessions: Iterable[LiveSession]) -> list[SessionSnapshot]:
        with self._lock:
            return [session.to_session() for session in sessions]


def _begun(event: e.AnyEvent) -> LiveSession:
    """A session of which only this event is known."""
    session = LiveSession(event.provider, event.session)
    session.apply(event)
    return session
