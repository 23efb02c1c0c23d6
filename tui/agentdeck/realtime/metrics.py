"""Numbers over all sessions: how many are active, how much is said, which tools are called, how often they fail.

Fed with events, in whatever order; the clock comes in. Rates are over the trailing `window`, by the events' own times,
so that a history that is read at the start does not look like a storm. Memory does not grow with what is counted.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final, TypeVar

from agentdeck import events as e

V = TypeVar("V")

WINDOW: Final = 300.0
"""Seconds."""

ACTIVE_WITHIN: Final = 120.0
"""Seconds after its last event for which a session counts as active."""

NAMES: Final = 100
"""Tools and models that are counted by name; the others together are `other`."""

SESSIONS: Final = 2000
"""Sessions remembered; the ones that rested longest go first."""

OTHER: Final = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """The numbers at one moment. Totals are since the collector was made; rates over its window."""

    at: float
    """Unix seconds."""
    active_sessions: int
    """By a recent event, and neither idle nor over."""
    sessions: int
    """Seen so far."""
    messages: int
    """Of people and agents; what agents think is none."""
    messages_per_minute: float
    calls: int
    """Tool calls."""
    tools: dict[str, int]
    """Calls by the tool's name."""
    categories: dict[str, int]
    """Calls by what kind of tool it is."""
    results: int
    failed: int
    """Results that were errors."""
    error_rate: float | None
    """Share of failed results in the window; None when there was none."""
    errors: int
    """Errors that are not a call's."""
    providers: dict[str, int]
    """Active sessions by provider."""
    kinds: dict[str, int]
    """Events by kind."""
    output_tokens: dict[str, int]
    """By model, as responses reported them."""


@dataclass(slots=True)
class _Second:
    messages: int = 0
    results: int = 0
    failed: int = 0


class MetricsCollector:
    """`watcher.on_any(collector.apply)` feeds it; `snapshot` may be asked from any thread."""

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.time,
        window: float = WINDOW,
        active_within: float = ACTIVE_WITHIN,
    ) -> None:
        self._now = now
        self._window = window
        self._active_within = active_within
        self._lock = Lock()
        self._seconds: dict[int, _Second] = {}
        self._last: OrderedDict[tuple[str, str], float] = OrderedDict()
        """When something happened last in each session that is not idle or over."""
        self._seen = 0
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._answers: OrderedDict[tuple[str, str], tuple[str, int]] = OrderedDict()
        """The last response of each session, because a response is told several times."""
        self._tools: dict[str, int] = {}
        self._categories: dict[str, int] = {}
        self._kinds: dict[str, int] = {}
        self._output: dict[str, int] = {}
        self._messages = self._calls = self._results = self._failed = self._errors = 0

    def apply(self, event: e.AnyEvent) -> None:
        with self._lock:
            key = event.provider, event.session
            self._kinds[event.kind] = self._kinds.get(event.kind, 0) + 1
            self._meet(key)
            if isinstance(event, e.SessionIdled | e.SessionEnded):
                self._last.pop(key, None)
            elif event.session:
                at = max(event.at.timestamp(), self._last.pop(key, 0.0))
                _remember(self._last, key, at)
            self._add(event, key)

    def snapshot(self) -> Metrics:
        with self._lock:
            now = self._now()
            self._forget(now)
            recent = [s for second, s in self._seconds.items() if second <= now]
            results = sum(second.results for second in recent)
            active = [key for key, at in self._last.items() if now - at <= self._active_within]
            providers: dict[str, int] = {}
            for provider, _ in active:
                providers[provider] = providers.get(provider, 0) + 1
            return Metrics(
                at=now,
                active_sessions=len(active),
                sessions=self._seen,
                messages=self._messages,
                messages_per_minute=sum(second.messages for second in recent) * 60 / self._window,
                calls=self._calls,
                tools=dict(self._tools),
                categories=dict(self._categories),
                results=self._results,
                failed=self._failed,
                error_rate=sum(second.failed for second in recent) / results if results else None,
                errors=self._errors,
                providers=providers,
                kinds=dict(self._kinds),
                output_tokens=dict(self._output),
            )

    def _add(self, event: e.AnyEvent, key: tuple[str, str]) -> None:
        match event:
            case e.MessageAdded():
                if event.role != "thinking":
                    self._messages += 1
                    self._at(event).messages += 1
                if event.tokens is not None and event.role != "user":
                    self._answer(key, event.message, event.model, event.tokens.output)
            case e.ToolUsed():
                self._calls += 1
                _count(self._tools, event.tool)
                _count(self._categories, event.category)
            case e.ToolReturned():
                second = self._at(event)
                self._results += 1
                second.results += 1
                self._failed += event.is_error
                second.failed += event.is_error
            case e.ErrorRaised():
                self._errors += 1

    def _answer(self, key: tuple[str, str], message: str, model: str, output: int) -> None:
        """Count a response's output once, at the most that it was told to be."""
        known, counted = self._answers.pop(key, ("", 0))
        if known != message:
            counted = 0
        _count(self._output, model or "unknown", max(0, output - counted))
        _remember(self._answers, key, (message, max(output, counted)))

    def _meet(self, key: tuple[str, str]) -> None:
        if key in self._known:
            self._known.move_to_end(key)
        elif key[1]:
            self._seen += 1
            _remember(self._known, key, None)

    def _at(self, event: e.AnyEvent) -> _Second:
        """The counts of an event's second; those of seconds that have left the window are no one's."""
        second = int(event.at.timestamp())
        now = self._now()
        if not now - self._window < second <= now + self._window:
            return _Second()
        self._forget(now)
        return self._seconds.setdefault(second, _Second())

    def _forget(self, now: float) -> None:
        for second in [second for second in self._seconds if second <= now - self._window]:
            del self._seconds[second]


def _count(table: dict[str, int], name: str, by: int = 1) -> None:
    name = name if name in table or len(table) < NAMES else OTHER
    table[name] = table.get(name, 0) + by


def _remember(table: OrderedDict[tuple[str, str], V], key: tuple[str, str], value: V) -> None:
    table[key] = value
    if len(table) > SESSIONS:
        table.popitem(last=False)
