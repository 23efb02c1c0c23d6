"""What a webhook says of an event: facts by default, everything or a Slack message when that is chosen.

What agents read and write may hold secrets. So the default says what happened, to whom, when, with which tool and to
which file, but nothing of what was said, called with, or returned.
"""

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Final

from agentdeck import events as e
from agentdeck.events_wire import plain
from agentdeck.live.wording import one_line, subject

Template = Callable[[e.AnyEvent], dict[str, object]]
"""Makes the JSON object that is sent for an event."""

_SLACK_LONGEST: Final = 300


def facts(event: e.AnyEvent) -> dict[str, object]:
    """The default: kind, provider, session, agent, time, and what can be said without contents."""
    found: dict[str, object] = {
        "kind": event.kind,
        "provider": event.provider,
        "session": event.session,
        "agent": event.agent,
        "at": event.at.isoformat(),
    }
    match event:
        case e.MessageAdded():
            found |= {"role": event.role, "model": event.model, "characters": len(event.text)}
        case e.ToolUsed():
            found |= {"tool": event.tool, "category": event.category, "call": event.call}
        case e.ToolReturned():
            used = event.used
            found |= {
                "tool": used.tool if used is not None else "",
                "call": event.call,
                "is_error": event.is_error,
                "seconds": event.seconds,
                "files": [{"path": c.path, "added": c.added, "removed": c.removed} for c in event.files],
            }
        case e.SessionIdled():
            found["seconds"] = event.seconds
        case e.SessionEnded():
            found |= {"reason": event.reason, "confidence": event.confidence}
        case e.ContextGrew():
            found |= {"tokens": event.tokens, "cause": event.cause}
        case e.Summarized():
            found |= {"how": event.how, "before": event.before, "after": event.after}
        case e.Compacted():
            found |= {"trigger": event.trigger, "before": event.before, "after": event.after}
        case e.TurnEnded():
            found |= {"interrupted": event.interrupted, "seconds": event.seconds}
        case _:
            pass
    return found


def everything(event: e.AnyEvent) -> dict[str, object]:
    """The whole event with all contents, as `agentdeck watch --json` prints it."""
    return plain(event)


def slack(event: e.AnyEvent) -> dict[str, object]:
    """A message for a Slack incoming webhook: one line, with the first words of errors, prompts and commands."""
    who = f"*{_escaped(event.provider)}* `{_escaped(event.session[:8])}`"
    text = _escaped(_sentence(event)[:_SLACK_LONGEST])
    return {
        "text": f"{who} {text}",
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": f"{who} {text}"}}],
    }


def _sentence(event: e.AnyEvent) -> str:
    match event:
        case e.SessionStarted():
            return f"started in {PurePosixPath(event.cwd).name}" if event.cwd else "started"
        case e.MessageAdded():
            return f"{event.role}: {one_line(event.text)}"
        case e.ToolUsed():
            return f"{event.tool} {subject(event)}"
        case e.ToolReturned():
            named = f"{event.used.tool} {subject(event.used)}" if event.used is not None else "a call"
            return f"{named} {'failed' if event.is_error else 'is done'}"
        case e.ErrorRaised():
            return f"error: {one_line(event.text)}"
        case e.SessionIdled():
            return f"is idle for {event.seconds:.0f} s"
        case e.SessionEnded():
            return f"ended ({event.reason.replace('_', ' ')})"
        case e.SessionResumed():
            return "goes on"
        case e.AgentSpawned():
            return f"started an agent: {one_line(event.description)}"
        case e.TurnEnded():
            return "was interrupted" if event.interrupted else "finished its turn"
        case e.ContextGrew():
            return f"context grew by {event.tokens:,} tokens, mostly {event.cause}"
        case e.Compacted() | e.Summarized():
            sizes = f" from {event.before:,} to {event.after:,} tokens" if event.before and event.after else ""
            return f"context was summarized{sizes}"
    return event.kind.replace("_", " ")


def _escaped(text: str) -> str:
    """Slack's three control characters, so that a text cannot mention people or make links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
