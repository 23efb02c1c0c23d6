"""Watch the agent sessions of this machine from your own program.

    from agentdeck.realtime import SessionWatcher

    watcher = SessionWatcher()

    @watcher.on("tool_result")
    def look(event):
        print(event.session, event.used and event.used.tool, "failed" if event.is_error else "ok")

    watcher.start()

`SessionWatcher` calls handlers, `AsyncSessionWatcher` is iterated over; both tell the events of `agentdeck.events`.
`filters` chooses among them; `LiveSessionManager`, `MetricsCollector` and `ContextTracker` make something of them. See
docs/library.md. Nothing here writes to a session, and nothing leaves the machine.
"""

from agentdeck.events import (
    AgentSpawned,
    AnyEvent,
    Compacted,
    ContextGrew,
    ErrorRaised,
    Event,
    FileChange,
    MessageAdded,
    SessionEnded,
    SessionIdled,
    SessionResumed,
    SessionStarted,
    Source,
    Summarized,
    TitleChanged,
    Tokens,
    ToolReturned,
    ToolUsed,
    TurnEnded,
    UnknownRecord,
)
from agentdeck.events_wire import plain
from agentdeck.live.health import Factors, Health, health
from agentdeck.live.session import LiveSession
from agentdeck.live.snapshot import AgentSnapshot, FileTouch, SessionSnapshot
from agentdeck.realtime import filters
from agentdeck.realtime.aio import AsyncSessionWatcher
from agentdeck.realtime.dispatch import Dispatcher, HandlerFailed
from agentdeck.realtime.filters import Filter
from agentdeck.realtime.metrics import Metrics, MetricsCollector
from agentdeck.realtime.sessions import LiveSessionManager
from agentdeck.realtime.subscribing import Pipe
from agentdeck.realtime.tracker import ContextSnapshot, ContextTracker
from agentdeck.realtime.watcher import SessionWatcher
from agentdeck.transcripts.ending import Rules
from agentdeck.transcripts.roots import Root

__all__ = [
    "AgentSnapshot",
    "AgentSpawned",
    "AnyEvent",
    "AsyncSessionWatcher",
    "Compacted",
    "ContextGrew",
    "ContextSnapshot",
    "ContextTracker",
    "Dispatcher",
    "ErrorRaised",
    "Event",
    "Factors",
    "FileChange",
    "FileTouch",
    "Filter",
    "HandlerFailed",
    "Health",
    "LiveSession",
    "LiveSessionManager",
    "MessageAdded",
    "Metrics",
    "MetricsCollector",
    "Pipe",
    "Root",
    "Rules",
    "SessionEnded",
    "SessionIdled",
    "SessionResumed",
    "SessionSnapshot",
    "SessionStarted",
    "SessionWatcher",
    "Source",
    "Summarized",
    "TitleChanged",
    "Tokens",
    "ToolReturned",
    "ToolUsed",
    "TurnEnded",
    "UnknownRecord",
    "filters",
    "health",
    "plain",
]
