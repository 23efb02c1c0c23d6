"""One session as its events tell it: what it says, calls, touches, waits for. Mutable, bounded, and pure.

`apply` folds one event and returns what follows from it: a result paired with its call, growth of the context, a
summary. A result that comes before its call waits for it.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from agentdeck import events as e

MESSAGES: Final = 500
"""Messages kept; older ones are in the transcript."""

CALLS: Final = 1000
"""Finished calls kept."""

ORPHANS: Final = 100
"""Results kept whose call has not come."""

GROWTH_TOKENS: Final = 2000
GROWTH_SHARE: Final = 0.02
SHRINK_TOKENS: Final = 5000
SHRINK_SHARE: Final = 0.10
INFERRED_WINDOW: Final = 0.4
INFERRED_FALL: Final = 0.5
"""When a change of the prompt's size is growth, pruning or an unrecorded summary: shares of window and prompt."""


@dataclass(slots=True)
class FileTouch:
    """What a session did to one file, all calls together."""

    path: str
    added: int = 0
    removed: int = 0
    at: datetime | None = None
    call: str = ""
    """The last call that touched it."""
    times: int = 0


@dataclass(slots=True)
class Agent:
    """A sub-agent and its own conversation."""

    id: str
    description: str = ""
    type: str = ""
    call: str = ""
    messages: deque[e.MessageAdded] = field(default_factory=lambda: deque(maxlen=MESSAGES))
    tools: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSnapshot:
    """A session at one moment; nothing in it changes any more."""

    provider: str
    id: str
    cwd: str
    title: str
    model: str
    parent: str
    started: datetime | None
    last_at: datetime | None
    ended: e.SessionEnded | None
    idle: bool
    working: bool
    """A turn is going on."""
    messages: tuple[e.MessageAdded, ...]
    calls: tuple[e.ToolReturned, ...]
    pending: tuple[e.ToolUsed, ...]
    agents: tuple[str, ...]
    files: tuple[FileTouch, ...]
    counts: dict[str, int]
    errors: int
    prompt_tokens: int

    @property
    def duration(self) -> float:
        """Seconds from the first event to the last."""
        return (self.last_at - self.started).total_seconds() if self.started and self.last_at else 0.0


class LiveSession:
    """`window` is the context's size, for telling a summary from pruning; it may be set when it becomes known."""

    def __init__(self, provider: str, session: str, *, window: int = 200_000) -> None:
        self.provider = provider
        self.id = session
        self.window = window
        self.cwd = ""
        self.title = ""
        self.model = ""
        self.parent = ""
        self.started: datetime | None = None
        self.last_at: datetime | None = None
        self.ended: e.SessionEnded | None = None
        self.idle = False
        self.working = False
        self.messages: deque[e.MessageAdded] = deque(maxlen=MESSAGES)
        self.calls: deque[e.ToolReturned] = deque(maxlen=CALLS)
        self.pending: OrderedDict[str, e.ToolUsed] = OrderedDict()
        self.agents: dict[str, Agent] = {}
        self.files: dict[str, FileTouch] = {}
        self.counts: dict[str, int] = {}
        """Events by kind, and messages also by `message.<role>`."""
        self.tools: dict[str, int] = {}
        self.errors = 0
        self.turns = 0
        self.prompt_tokens = 0
        self._answer_tokens = 0
        self._between: dict[str, int] = {}
        """Characters by cause since the last response: what the next prompt grew by."""
        self._measured = ""
        self._orphans: OrderedDict[str, e.ToolReturned] = OrderedDict()

    def to_session(self) -> SessionSnapshot:
        return SessionSnapshot(
            provider=self.provider,
            id=self.id,
            cwd=self.cwd,
            title=self.title,
            model=self.model,
            parent=self.parent,
            started=self.started,
            last_at=self.last_at,
            ended=self.ended,
            idle=self.idle,
            working=self.working,
            messages=tuple(self.messages),
            calls=tuple(self.calls),
            pending=tuple(self.pending.values()),
            agents=tuple(self.agents),
            files=tuple(replace(touch) for touch in self.files.values()),
            counts=dict(self.counts),
            errors=self.errors,
            prompt_tokens=self.prompt_tokens,
        )

    def apply(self, event: e.AnyEvent) -> list[e.AnyEvent]:
        """Fold `event`; return it, completed where it can be, and what follows from it."""
        told: list[e.AnyEvent] = []
        if not isinstance(event, e.SessionIdled | e.SessionEnded | e.SessionResumed):
            if self.idle or self.ended is not None:
                self.idle, self.ended = False, None
                told.append(e.SessionResumed(provider=self.provider, session=self.id, at=event.at))
            if event.at.timestamp() > 0:  # some records have no time of their own
                self.started = min(self.started or event.at, event.at)
                self.last_at = max(self.last_at or event.at, event.at)
        self._count(event.kind)
        agent = self._agent(event.agent, event.at) if event.agent else None
        match event:
            case e.SessionStarted():
                self.cwd, self.parent = event.cwd or self.cwd, event.parent or self.parent
            case e.TitleChanged():
                self.title = event.title
            case e.MessageAdded():
                return [*told, event, *self._message(event, agent)]
            case e.ToolUsed():
                return [*told, event, *self._used(event, agent)]
            case e.ToolReturned():
                return [*told, *self._returned(event)]
            case e.AgentSpawned():
                spawned = self._agent(event.spawned, event.at)
                spawned.description, spawned.type, spawned.call = event.description, event.type, event.call
            case e.Compacted():
                return [*told, event, *self._compacted(event)]
            case e.ErrorRaised():
                self.errors += 1
            case e.TurnEnded() if not event.agent:
                self.working = False
                self.turns += 1
            case e.SessionIdled():
                self.idle = True
            case e.SessionEnded():
                self.ended, self.working = event, False
                self.pending.clear()
        return [*told, event]

    # ── parts ──────────────────────────────────────────────────────────────────────────────────

    def _count(self, kind: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def _agent(self, name: str, at: datetime) -> Agent:
        agent = self.agents.setdefault(name, Agent(name))
        agent.last_at = at
        return agent

    def _message(self, event: e.MessageAdded, agent: Agent | None) -> list[e.AnyEvent]:
        self._count(f"message.{event.role}")
        if agent is not None:
            agent.messages.append(event)
            return []
        self.messages.append(event)
        self.working = True
        if event.role == "user":
            self._between["user"] = self._between.get("user", 0) + len(event.text)
            return []
        self.model = event.model or self.model
        return self._measure(event, event.message, event.tokens)

    def _used(self, event: e.ToolUsed, agent: Agent | None) -> list[e.AnyEvent]:
        self.tools[event.tool] = self.tools.get(event.tool, 0) + 1
        if agent is not None:
            agent.tools += 1
        told = [] if agent is not None else self._measure(event, event.message, event.tokens)
        orphan = self._orphans.pop(event.call, None)
        if orphan is not None:
            return [*told, self._finish(orphan, event)]
        self.pending[event.call] = event
        self.working = self.working or agent is None
        return told

    def _returned(self, event: e.ToolReturned) -> list[e.AnyEvent]:
        used = self.pending.pop(event.call, None)
        if used is None:
            self._orphans[event.call] = event
            if len(self._orphans) > ORPHANS:
                _, oldest = self._orphans.popitem(last=False)
                return [self._finish(oldest, None)]
            return []
        return [self._finish(event, used)]

    def _finish(self, event: e.ToolReturned, used: e.ToolUsed | None) -> e.ToolReturned:
        seconds = event.seconds
        if seconds is None and used is not None:
            seconds = max(0.0, (event.at - used.at).total_seconds())
        event = replace(event, used=used, seconds=seconds)
        self.calls.append(event)
        self.errors += event.is_error
        for change in event.files:
            touch = self.files.setdefault(change.path, FileTouch(change.path))
            touch.added += change.added or 0
            touch.removed += change.removed or 0
            touch.at, touch.call, touch.times = event.at, event.call, touch.times + 1
        if not event.agent:
            cause = used.tool if used is not None else "tool"
            self._between[cause] = self._between.get(cause, 0) + len(event.output)
        return event

    def _measure(self, event: e.Event, message: str, tokens: e.Tokens | None) -> list[e.AnyEvent]:
        """Compare the prompt of a new response with the one before it."""
        if tokens is None or not tokens.prompt or (message and message == self._measured):
            self._answer_tokens = max(self._answer_tokens, tokens.output) if tokens else self._answer_tokens
            return []
        before, prompt = self.prompt_tokens, tokens.prompt
        self._measured, self.prompt_tokens = message, prompt
        grown = prompt - before - self._answer_tokens
        self._answer_tokens = tokens.output
        causes, self._between = self._between, {}
        if not before:
            return []
        if grown >= max(GROWTH_TOKENS, GROWTH_SHARE * self.window):
            cause = max(causes, key=causes.__getitem__) if causes else "unknown"
            return [e.ContextGrew(provider=self.provider, session=self.id, at=event.at, tokens=grown, cause=cause)]
        fallen = before - prompt
        if before >= INFERRED_WINDOW * self.window and prompt < INFERRED_FALL * before:
            return [
                e.Summarized(
                    provider=self.provider, session=self.id, at=event.at, how="inferred", before=before, after=prompt
                )
            ]
        if fallen >= SHRINK_TOKENS and fallen >= SHRINK_SHARE * before:
            return [
                e.Summarized(
                    provider=self.provider, session=self.id, at=event.at, how="pruned", before=before, after=prompt
                )
            ]
        return []

    def _compacted(self, event: e.Compacted) -> Iterable[e.AnyEvent]:
        before = event.before if event.before is not None else self.prompt_tokens
        self.prompt_tokens, self._answer_tokens, self._between = 0, 0, {}
        if event.after is None:
            return []
        return [
            e.Summarized(
                provider=self.provider, session=self.id, at=event.at, how="record", before=before, after=event.after
            )
        ]
