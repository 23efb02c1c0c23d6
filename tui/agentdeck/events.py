"""What can happen in a session: the vocabulary that every other module speaks.

Events are facts, frozen when they are made. Those of the first group come out of transcripts, record by record; those
of the second are concluded from several of them, from time, or from the process, and say how.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an event stands: the byte offset of its line in a transcript."""

    path: str
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What one response used. The counts do not overlap, but `reasoning` is part of `output`."""

    input: int = 0
    cache_write: int = 0
    cache_read: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def prompt(self) -> int:
        return self.input + self.cache_write + self.cache_read


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One file that a tool call touched. Lines are None when the record does not tell."""

    path: str
    added: int | None = None
    removed: int | None = None
    diff: str = ""
    """A unified diff where the record has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The base of every event. `at` is aware, and in UTC."""

    kind: ClassVar[str] = ""

    provider: str
    session: str
    """The provider's own session id."""
    at: datetime
    source: Source | None = None
    agent: str = ""
    """The sub-agent that it happened to; empty for the main conversation."""


# ── out of transcripts ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted(Event):
    kind: ClassVar[str] = "session_start"

    cwd: str = ""
    version: str = ""
    parent: str = ""
    """The session that it was forked from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAdded(Event):
    kind: ClassVar[str] = "message"

    role: str
    """user, assistant or thinking."""
    text: str
    message: str = ""
    """The provider's id of the message; one message may come in several events."""
    model: str = ""
    tokens: Tokens | None = None
    """Of the whole response, on every event of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUsed(Event):
    """The agent called a tool; its result arrives later as `ToolReturned`."""

    kind: ClassVar[str] = "tool_use"

    call: str
    tool: str
    input: dict[str, object]
    category: str = "other"
    """file_read, file_write, command, search, web, agent, plan, ask, mcp or other."""
    message: str = ""
    tokens: Tokens | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolReturned(Event):
    kind: ClassVar[str] = "tool_result"

    call: str
    output: str
    is_error: bool = False
    files: tuple[FileChange, ...] = ()
    used: ToolUsed | None = None
    """The call that it answers, once the two are paired."""
    seconds: float | None = None
    """From call to result, once paired, or as the record says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSpawned(Event):
    """A sub-agent was started; its own events carry `spawned` as their `agent`."""

    kind: ClassVar[str] = "agent_spawn"

    spawned: str
    description: str = ""
    type: str = ""
    call: str = ""
    """The tool call that started it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted(Event):
    kind: ClassVar[str] = "compaction"

    trigger: str = ""
    """manual or auto."""
    before: int | None = None
    after: int | None = None
    """Tokens of context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRaised(Event):
    kind: ClassVar[str] = "error"

    text: str
    fatal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded(Event):
    """The agent has finished, or was interrupted, and waits for a prompt."""

    kind: ClassVar[str] = "turn_end"

    interrupted: bool = False
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleChanged(Event):
    kind: ClassVar[str] = "title"

    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownRecord(Event):
    """A record of a type that we do not know, kept as it is: a newer CLI must not be a reason to fail."""

    kind: ClassVar[str] = "unknown"

    type: str
    record: dict[str, object]


# ── concluded ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionIdled(Event):
    kind: ClassVar[str] = "session_idle"

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResumed(Event):
    """It goes on after it was idle or had ended."""

    kind: ClassVar[str] = "session_resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(Event):
    kind: ClassVar[str] = "session_end"

    reason: str
    """process_gone, closed, idle or explicit."""
    confidence: float
    """0 to 1: how sure that signal makes us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextGrew(Event):
    """The prompt grew by more than the last answer explains."""

    kind: ClassVar[str] = "context_growth"

    tokens: int
    cause: str
    """The largest share of what came between: a tool's name, user or attachment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summarized(Event):
    """The context became smaller."""

    kind: ClassVar[str] = "summarization"

    how: str
    """record (the transcript says so), inferred or pruned."""
    before: int
    after: int


AnyEvent = (
    SessionStarted
    | MessageAdded
    | ToolUsed
    | ToolReturned
    | AgentSpawned
    | Compacted
    | ErrorRaised
    | TurnEnded
    | TitleChanged
    | UnknownRecord
    | SessionIdled
    | SessionResumed
    | SessionEnded
    | ContextGrew
    | Summarized
)
