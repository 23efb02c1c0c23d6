"""How the context of each session develops: its size after every response, what made it grow, when it was summarized.

Sizes are the providers' own counts and exact; what says `estimate` is by characters. Where a provider reports no
tokens there are no snapshots.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Final, NamedTuple

from agentdeck import events as e
from agentdeck.live.context import ContextMeter
from agentdeck.live.session import concluded, measure
from agentdeck.realtime.windows import window as known_window

SNAPSHOTS: Final = 1000
"""Kept of each session, and as many growths and summarizations."""

SESSIONS: Final = 200
"""Kept; the ones that rested longest go first."""

CALLS: Final = 1000
"""Calls without a result that are remembered of each session."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSnapshot:
    """The context of a session just after a response. Tokens, unless it says otherwise."""

    at: datetime
    message: str
    """The provider's id of the response."""
    prompt: int
    """What the response was given: its input, read from and written to the cache included."""
    output: int
    window: int
    assumed: bool
    """The window was raised because a prompt was larger than it."""
    cumulative_input: int
    cumulative_output: int
    """All responses so far together."""
    pending: tuple[str, ...]
    """Calls without a result."""
    agents: tuple[str, ...]
    """Those of them that run a sub-agent."""
    tool_result_share: float | None
    """Estimate: how much of the text since the last summary is results of calls; None without any text."""
    overhead: int | None
    """Estimate: what the first prompt held beyond its text, so system prompt, tools and memory files."""

    @property
    def used_pct(self) -> float:
        return 100 * self.prompt / self.window


class _Point(NamedTuple):
    at: datetime
    tokens: int
    is_response: bool


@dataclass(slots=True)
class _Tracked:
    meter: ContextMeter
    model: str = ""
    calls: OrderedDict[str, e.ToolUsed] = field(default_factory=OrderedDict)
    snapshots: deque[ContextSnapshot] = field(default_factory=lambda: deque(maxlen=SNAPSHOTS))
    growths: deque[e.ContextGrew] = field(default_factory=lambda: deque(maxlen=SNAPSHOTS))
    summaries: deque[e.Summarized] = field(default_factory=lambda: deque(maxlen=SNAPSHOTS))
    points: deque[_Point] = field(default_factory=lambda: deque(maxlen=SNAPSHOTS))
    """In the order in which they were told: records may have the same time."""


class ContextTracker:
    """`watcher.on_any(tracker.apply)` feeds it. `window` tells the size of a context by provider and model."""

    def __init__(self, *, window: Callable[[str, str], int] = known_window) -> None:
        self._window = window
        self._sessions: OrderedDict[Key, _Tracked] = OrderedDict()
        self._lock = Lock()

    def apply(self, event: e.AnyEvent) -> None:
        """Take note of an event. Those of sub-agents are left out: they have contexts of their own."""
        if event.agent or not event.session:
            return
        with self._lock:
            key = event.provider, event.session
            tracked = self._sessions.pop(key, None) or _Tracked(ContextMeter(self._window(event.provider, "")))
            self._sessions[key] = tracked
            if len(self._sessions) > SESSIONS:
                self._sessions.popitem(last=False)
            self._fold(tracked, event)

    def snapshots(self, provider: str, session: str) -> list[ContextSnapshot]:
        """Return one snapshot per response, the oldest first."""
        with self._lock:
            tracked = self._sessions.get((provider, session))
            return list(tracked.snapshots) if tracked is not None else []

    def current(self, provider: str, session: str) -> ContextSnapshot | None:
        """Return the context after the last response."""
        found = self.snapshots(provider, session)
        return found[-1] if found else None

    def trajectory(self, provider: str, session: str) -> list[tuple[datetime, int]]:
        """Return the size of the context over time: a point per response, and one per recorded summary."""
        with self._lock:
            tracked = self._sessions.get((provider, session))
            return [(point.at, point.tokens) for point in tracked.points] if tracked is not None else []

    def growths(self, provider: str, session: str) -> list[e.ContextGrew]:
        """Return what made the context grow by more than the answers explain."""
        with self._lock:
            tracked = self._sessions.get((provider, session))
            return list(tracked.growths) if tracked is not None else []

    def summarizations(self, provider: str, session: str) -> list[e.Summarized]:
        """Return when the context became smaller: by record, inferred, or pruned."""
        with self._lock:
            tracked = self._sessions.get((provider, session))
            return list(tracked.summaries) if tracked is not None else []

    def _fold(self, tracked: _Tracked, event: e.AnyEvent) -> None:
        match event:
            case e.MessageAdded() if event.model and event.model != tracked.model:
                tracked.model = event.model
                if not tracked.meter.assumed:
                    tracked.meter.window = self._window(event.provider, event.model)
            case e.ToolUsed():
                tracked.calls[event.call] = event
                if len(tracked.calls) > CALLS:
                    tracked.calls.popitem(last=False)
            case e.ToolReturned():
                used = tracked.calls.pop(event.call, None) or event.used
                tracked.meter.add(used.tool if used is not None else "tool", len(event.output), is_result=True)
            case e.TurnEnded() | e.SessionEnded():
                tracked.calls.clear()
        before = tracked.meter.responses
        change = measure(tracked.meter, event)
        if change is not None:
            fact = concluded(change, event)
            if isinstance(fact, e.ContextGrew):
                tracked.growths.append(fact)
            else:
                tracked.summaries.append(fact)
                if fact.how == "record":
                    tracked.points.append(_Point(fact.at, fact.after, is_response=False))
        if (message := _responded(event)) is not None:
            self._note(tracked, message, event.at, is_new=tracked.meter.responses > before)

    @staticmethod
    def _note(tracked: _Tracked, message: str, at: datetime, *, is_new: bool) -> None:
        """Add a snapshot, or bring the one of the same response up to date."""
        meter = tracked.meter
        snapshot = ContextSnapshot(
            at=at,
            message=message,
            prompt=meter.prompt,
            output=meter.answer,
            window=meter.window,
            assumed=meter.assumed,
            cumulative_input=meter.sum_prompt,
            cumulative_output=meter.sum_answer,
            pending=tuple(tracked.calls),
            agents=tuple(call for call, used in tracked.calls.items() if used.category == "agent"),
            tool_result_share=meter.result_share,
            overhead=meter.overhead,
        )
        if not is_new and tracked.snapshots:
            tracked.snapshots.pop()
            if tracked.points and tracked.points[-1].is_response:
                tracked.points.pop()
        tracked.snapshots.append(snapshot)
        tracked.points.append(_Point(at, meter.prompt, is_response=True))


def _responded(event: e.AnyEvent) -> str | None:
    """Return the id of the response of which an event tells the tokens; None when it does not."""
    match event:
        case (
            e.MessageAdded(role="assistant" | "thinking", message=message, tokens=e.Tokens() as tokens)
            | e.ToolUsed(message=message, tokens=e.Tokens() as tokens)
        ) if tokens.prompt:
            return message
    return None
