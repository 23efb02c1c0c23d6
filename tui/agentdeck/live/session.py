"""One session as its events tell it: what it says, calls, touches, waits for. Mutable, bounded, and pure.

`apply` folds one event and returns what is to be told: the event, completed where it can be, and what follows from it
(a result paired with its call, growth of the context, a summary, a resumption). A result that comes before its call
waits for it, and is told alone when the call does not come. No event is refused, in whatever order they come.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from agentdeck import events as e
from agentdeck.live.context import ContextMeter, Growth, Shrink
from agentdeck.live.kept import LONGEST_NAME, Kept, Waiting, cut, short_message, short_result, short_use, weight
from agentdeck.live.snapshot import AgentSnapshot, FileTouch, SessionSnapshot
from agentdeck.transcripts.reading import EPOCH

MESSAGES: Final = 500
CALLS: Final = 1000
TEXT: Final = 1_000_000
"""Newest messages, newest finished calls, and characters of each of the two, that are kept."""

AGENTS: Final = 50
AGENT_MESSAGES: Final = 100
AGENT_TEXT: Final = 50_000
"""Sub-agents, and of each its newest messages and their characters, that are kept."""

PENDING: Final = 1000
LATE: Final = 100
ORPHANS: Final = 50
WAITING_TEXT: Final = 4_000_000
"""Calls without a result, those that were given up, results without a call; and characters of each of the three."""

FILES: Final = 2000
NAMES: Final = 500
"""Files, and names of tools, that are counted one by one."""

RESTING: Final = 20
RESTING_TEXT: Final = 50_000
"""Messages and calls kept of a session that rests, and characters of each of the two."""

OTHER: Final = "other"
"""Tools beyond `NAMES` are counted under this name."""

ROLES: Final = frozenset(("user", "assistant", "thinking"))

T = TypeVar("T")

_CONCLUDED: Final = (e.SessionIdled, e.SessionResumed, e.SessionEnded)
_QUIET: Final = (*_CONCLUDED, e.TitleChanged, e.UnknownRecord)
"""What does not show that the session goes on: CLIs write such records at their end, too."""


@dataclass(slots=True)
class Agent:
    """A sub-agent and its own conversation."""

    id: str
    description: str = ""
    type: str = ""
    call: str = ""
    messages: Kept[e.MessageAdded] = field(default_factory=lambda: Kept(AGENT_MESSAGES, AGENT_TEXT))
    tools: int = 0
    """Calls that it made."""
    last_at: datetime | None = None


class LiveSession:
    """`window` is the context's size in tokens, until the session proves a larger one."""

    def __init__(self, provider: str, session: str, *, window: int = 200_000) -> None:
        self.provider = provider
        self.id = session
        self.cwd = ""
        self.title = ""
        self.model = ""
        self.version = ""
        self.parent = ""
        self.started: datetime | None = None
        self.last_at: datetime | None = None
        self.ended: e.SessionEnded | None = None
        self.idle = False
        self.working = False
        """A turn is going on."""
        self.messages: Kept[e.MessageAdded] = Kept(MESSAGES, TEXT)
        """Of the main conversation, long ones cut."""
        self.calls: Kept[e.ToolReturned] = Kept(CALLS, TEXT)
        """Finished ones with their use, of sub-agents too, long ones cut."""
        self.pending: Waiting[e.ToolUsed] = Waiting(PENDING, WAITING_TEXT)
        """Calls without a result, by call, whole."""
        self.agents: OrderedDict[str, Agent] = OrderedDict()
        """The one that did something last is the last."""
        self.files: OrderedDict[str, FileTouch] = OrderedDict()
        """By path; the one touched last is the last."""
        self.counts: dict[str, int] = {}
        """Events by kind, those concluded here included, and messages also as `message.<role>`."""
        self.tools: dict[str, int] = {}
        """Calls by the tool's name."""
        self.errors = 0
        """Failed calls and errors."""
        self.turns = 0
        self.added = 0
        self.removed = 0
        """Lines, all files together."""
        self.context = ContextMeter(window)
        self._late: Waiting[e.ToolUsed] = Waiting(LATE, WAITING_TEXT)
        """Given up, and cut: a result may come all the same."""
        self._orphans: Waiting[e.ToolReturned] = Waiting(ORPHANS, WAITING_TEXT)

    @property
    def seconds(self) -> float:
        """From its first event to its last."""
        return (self.last_at - self.started).total_seconds() if self.started and self.last_at else 0.0

    @property
    def has_orphans(self) -> bool:
        """Results wait for their calls."""
        return len(self._orphans) > 0

    @property
    def size(self) -> int:
        """Characters held, roughly."""
        texts = self.messages.size + self.calls.size + sum(agent.messages.size for agent in self.agents.values())
        return texts + self.pending.size + self._late.size + self._orphans.size

    @property
    def prompt_tokens(self) -> int:
        return self.context.prompt

    @property
    def window(self) -> int:
        return self.context.window

    def to_session(self) -> SessionSnapshot:
        """Freeze the session as it is now."""
        return SessionSnapshot(
            provider=self.provider,
            id=self.id,
            cwd=self.cwd,
            title=self.title,
            model=self.model,
            version=self.version,
            parent=self.parent,
            started=self.started,
            last_at=self.last_at,
            seconds=self.seconds,
            ended=self.ended,
            idle=self.idle,
            working=self.working,
            messages=tuple(self.messages),
            calls=tuple(self.calls),
            pending=tuple(self.pending.values()),
            agents=tuple(
                AgentSnapshot(
                    id=agent.id,
                    description=agent.description,
                    type=agent.type,
                    call=agent.call,
                    messages=tuple(agent.messages),
                    tools=agent.tools,
                    last_at=agent.last_at,
                )
                for agent in self.agents.values()
            ),
            files=tuple(self.files.values()),
            counts=dict(self.counts),
            tools=dict(self.tools),
            errors=self.errors,
            turns=self.turns,
            added=self.added,
            removed=self.removed,
            prompt_tokens=self.context.prompt,
            window=self.context.window,
        )

    def apply(self, event: e.AnyEvent) -> list[e.AnyEvent]:
        """Fold `event`; return it, completed where it can be, and what follows from it, in the order to tell."""
        if isinstance(event, e.ContextGrew | e.Summarized):
            return [event]  # concluded elsewhere; here it is concluded from the responses themselves
        told = self._resume(event)
        if not isinstance(event, _CONCLUDED) and event.at > EPOCH:  # some records have no time of their own
            self.started = min(self.started or event.at, event.at)
            self.last_at = max(self.last_at or event.at, event.at)
        self._count(event.kind)
        agent = self._agent(event.agent, event.at) if event.agent else None
        match event:
            case e.ToolReturned():
                return [*told, *self._returned(event)]
            case e.MessageAdded():
                self._message(event, agent)
            case e.ToolUsed():
                finished = self._used(event, agent)
                return [*told, event, *self._measure(event), *finished]
            case _:
                self._fold(event)
        return [*told, event, *self._measure(event)]

    def settle(self) -> list[e.AnyEvent]:
        """Give up waiting for the calls of results that came without one; return these results."""
        return [self._finish(orphan, None) for orphan in self._orphans.clear()]

    def rest(self) -> None:
        """Keep only the newest of what was said and done: nobody looks at it just now."""
        self.messages.shrink(RESTING, RESTING_TEXT)
        self.calls.shrink(RESTING, RESTING_TEXT)
        for agent in self.agents.values():
            agent.messages.shrink(1, RESTING_TEXT)

    # ── parts ──────────────────────────────────────────────────────────────────────────────────

    def _resume(self, event: e.AnyEvent) -> list[e.AnyEvent]:
        if isinstance(event, _QUIET) or not (self.idle or self.ended):
            return []
        if self.ended is not None and EPOCH < event.at <= self.ended.at:
            return []  # written before the end, read after it
        self.idle, self.ended = False, None
        self._count(e.SessionResumed.kind)
        return [e.SessionResumed(provider=self.provider, session=self.id, at=event.at)]

    def _fold(self, event: e.AnyEvent) -> None:
        match event:
            case e.SessionStarted():
                self.cwd, self.parent = event.cwd or self.cwd, event.parent or self.parent
                self.version = event.version or self.version
            case e.TitleChanged():
                self.title = event.title
            case e.AgentSpawned():
                spawned = self._agent(event.spawned, event.at)
                spawned.description = cut(event.description, LONGEST_NAME)
                spawned.type, spawned.call = event.type, event.call
            case e.ErrorRaised():
                self.errors += 1
            case e.TurnEnded() if not event.agent:
                self.working = False
                self.turns += 1
                self._give_up([used for used in self.pending.values() if not used.agent])
            case e.SessionResumed():
                self.idle, self.ended = False, None
            case e.SessionIdled():
                self.idle, self.working = True, False
            case e.SessionEnded():
                self.ended, self.working = event, False
                self._give_up(self.pending.values())

    def _count(self, kind: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def _agent(self, name: str, at: datetime) -> Agent:
        agent = self.agents.pop(name, None) or Agent(name)
        agent.last_at = max(agent.last_at or at, at)
        _put(self.agents, name, agent, AGENTS)
        return agent

    def _message(self, event: e.MessageAdded, agent: Agent | None) -> None:
        self._count(f"message.{event.role if event.role in ROLES else OTHER}")
        short = short_message(event)
        (self.messages if agent is None else agent.messages).append(short, len(short.text))
        if agent is None:
            self.working = True
            self.model = event.model or self.model

    def _used(self, event: e.ToolUsed, agent: Agent | None) -> list[e.AnyEvent]:
        name = cut(event.tool, LONGEST_NAME)
        name = name if name in self.tools or len(self.tools) < NAMES else OTHER
        self.tools[name] = self.tools.get(name, 0) + 1
        if agent is not None:
            agent.tools += 1
        orphan = self._orphans.pop(event.call)
        if orphan is not None:
            return [self._finish(orphan, event)]
        gone = self.pending.put(event.call, event, weight(event))
        self._give_up(used for used in gone if used.call != event.call)
        self.working = self.working or agent is None
        return []

    def _give_up(self, calls: Iterable[e.ToolUsed]) -> None:
        """Their results are not waited for any more."""
        for used in calls:
            self.pending.pop(used.call)
            short = short_use(used)
            self._late.put(used.call, short, weight(short))

    def _returned(self, event: e.ToolReturned) -> list[e.AnyEvent]:
        used = self.pending.pop(event.call) or self._late.pop(event.call) or event.used
        if used is not None:
            return [self._finish(event, used)]
        return [self._finish(oldest, None) for oldest in self._orphans.put(event.call, event, weight(event))]

    def _finish(self, event: e.ToolReturned, used: e.ToolUsed | None) -> e.ToolReturned:
        seconds = event.seconds
        if seconds is None and used is not None and used.at > EPOCH:
            seconds = max(0.0, (event.at - used.at).total_seconds())
        event = replace(event, used=used, seconds=seconds)
        short = short_result(event)
        self.calls.append(short, weight(short))
        self.errors += event.is_error
        for change in event.files:
            self._touch(change, event)
        if not event.agent:
            self.context.add(used.tool if used is not None else "tool", len(event.output), is_result=True)
        return event

    def _touch(self, change: e.FileChange, event: e.ToolReturned) -> None:
        added, removed = change.added or 0, change.removed or 0
        self.added += added
        self.removed += removed
        path = cut(change.path, LONGEST_NAME)
        before = self.files.pop(path, FileTouch(path))
        touch = FileTouch(
            path=path,
            added=before.added + added,
            removed=before.removed + removed,
            at=event.at,
            call=event.call,
            times=before.times + 1,
            first=before.first or event.at,
        )
        _put(self.files, path, touch, FILES)

    def _measure(self, event: e.AnyEvent) -> list[e.AnyEvent]:
        """Tell the meter of the main conversation what came; return what it makes of it."""
        change = measure(self.context, event)
        if change is None:
            return []
        self._count(e.ContextGrew.kind if isinstance(change, Growth) else e.Summarized.kind)
        return [concluded(change, event)]


def measure(meter: ContextMeter, event: e.AnyEvent) -> Growth | Shrink | None:
    """Tell a meter of an event of the main conversation; results of calls are told where they are paired."""
    if event.agent:
        return None
    match event:
        case e.MessageAdded(role="user"):
            meter.add("user", len(event.text))
        case e.MessageAdded():
            meter.say(len(event.text))
            if event.tokens is not None:
                return meter.respond(event.message, event.tokens.prompt, event.tokens.output)
        case e.ToolUsed():
            if event.tokens is not None:
                return meter.respond(event.message, event.tokens.prompt, event.tokens.output)
        case e.Compacted():
            return meter.boundary(event.before, event.after)
    return None


def concluded(change: Growth | Shrink, event: e.AnyEvent) -> e.ContextGrew | e.Summarized:
    """Return a change of the context as the event that follows from `event`."""
    if isinstance(change, Growth):
        return e.ContextGrew(
            provider=event.provider,
            session=event.session,
            at=event.at,
            source=event.source,
            tokens=change.tokens,
            cause=change.cause,
        )
    return e.Summarized(
        provider=event.provider,
        session=event.session,
        at=event.at,
        source=event.source,
        how=change.how,
        before=change.before,
        after=change.after,
    )


def _put(table: "OrderedDict[str, T]", key: str, value: T, most: int) -> None:
    """Put a value last, and drop the oldest if there are too many."""
    table.pop(key, None)
    table[key] = value
    if len(table) > most:
        table.popitem(last=False)


def rests_since(session: LiveSession, now: datetime) -> timedelta:
    """How long nothing has happened in a session; zero when nothing in it has a time."""
    return max(timedelta(0), now - session.last_at) if session.last_at is not None else timedelta(0)
