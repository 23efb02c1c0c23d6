"""A session at one moment, for whoever must not be surprised by what happens to it next. Nothing here changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from agentdeck import events as e


@dataclass(frozen=True, slots=True)
class FileTouch:
    """What a session did to one file, all calls together."""

    path: str
    added: int = 0
    removed: int = 0
    """Lines; a call that does not tell counts as none."""
    at: datetime | None = None
    """When it was touched last."""
    call: str = ""
    """The last call that touched it."""
    times: int = 0
    first: datetime | None = None
    """When it was touched for the first time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSnapshot:
    """A sub-agent and the newest of its own conversation."""

    id: str
    description: str
    type: str
    call: str
    """The tool call that started it."""
    messages: tuple[e.MessageAdded, ...]
    tools: int
    """Calls that it made."""
    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSnapshot:
    """A session at one moment: the newest messages and calls, and counts over all of it."""

    provider: str
    id: str
    cwd: str
    title: str
    model: str
    version: str
    parent: str
    """The session that it was forked from."""
    started: datetime | None
    last_at: datetime | None
    seconds: float
    """From its first event to its last."""
    ended: e.SessionEnded | None
    idle: bool
    working: bool
    """A turn is going on."""
    messages: tuple[e.MessageAdded, ...]
    """Of the main conversation."""
    calls: tuple[e.ToolReturned, ...]
    """Finished ones, with their use."""
    pending: tuple[e.ToolUsed, ...]
    """Calls without a result."""
    agents: tuple[AgentSnapshot, ...]
    files: tuple[FileTouch, ...]
    """The one touched last is the last."""
    counts: Mapping[str, int]
    """Events by kind, and messages also as `message.<role>`."""
    tools: Mapping[str, int]
    """Calls by the tool's name."""
    errors: int
    """Failed calls and errors."""
    turns: int
    added: int
    removed: int
    """Lines, all files together."""
    prompt_tokens: int
    """Size of the context now."""
    window: int

    @property
    def name(self) -> str:
        """What people call it: its title, or its id."""
        return self.title or self.id

    @property
    def active(self) -> bool:
        """Whether it is neither idle nor over."""
        return not self.idle and self.ended is None
