"""What a transcript says of the turn that goes on or was the last: folded from events, event by event.

A transcript is certain but late: what it says of an end, an error or a limit is often the only word about it, while
the beginning of a turn is seen elsewhere first. What sub-agents do never ends the turn of the one who sent them.
"""

from dataclasses import dataclass, replace
from typing import Final

from agentdeck import events as e
from agentdeck.status.resets import is_limit, lifted_at

CALLS: Final = 200
"""Calls without a result that are remembered; older ones are forgotten."""

_PLAN: Final = frozenset({"ExitPlanMode", "exit_plan_mode"})


@dataclass(frozen=True, slots=True)
class Call:
    id: str
    what: str
    at: float
    asks: str = ""
    """Set when the call itself asks the person: question, or approval of a plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Times are unix seconds, 0 when it never happened."""

    open: bool = False
    at: float = 0.0
    """When its last event came, by our clock."""
    calls: tuple[Call, ...] = ()
    """Without a result so far."""
    agents: int = 0
    error: str = ""
    """What it ended with."""
    limited: bool = False
    until: float | None = None
    """When the limit is lifted that it ended with."""
    interrupted: bool = False
    version: str = ""
    """Of the CLI."""


def fold(turn: Turn, event: e.AnyEvent, now: float) -> Turn:
    """Return what is known after `event`, which was heard at `now`."""
    if event.agent:
        return replace(turn, at=now)
    match event:
        case e.SessionStarted():
            return replace(turn, version=event.version or turn.version)
        case e.MessageAdded(role="user"):
            return Turn(open=True, at=now, version=turn.version)
        case e.MessageAdded():
            return replace(turn, open=True, at=now, error="", limited=False, until=None, interrupted=False)
        case e.ToolUsed():
            asks = "approval" if event.tool in _PLAN else "question" if event.category == "ask" else ""
            call = Call(event.call, event.tool, now, asks)
            return replace(turn, open=True, at=now, calls=(*turn.calls, call)[-CALLS:])
        case e.ToolReturned():
            return replace(turn, at=now, calls=tuple(call for call in turn.calls if call.id != event.call))
        case e.ErrorRaised():
            limited = is_limit(event.text)
            until = lifted_at(event.text, event.at.timestamp()) if limited else None
            return Turn(at=now, error=event.text, limited=limited, until=until, version=turn.version)
        case e.TurnEnded():
            return replace(turn, open=False, at=now, calls=(), interrupted=event.interrupted)
        case _:
            return turn
