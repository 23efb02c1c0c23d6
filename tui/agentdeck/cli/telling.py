"""One event as one line for people: when, where, who, what."""

from pathlib import PurePosixPath
from typing import Final

from agentdeck import events as e
from agentdeck.live.wording import one_line, subject

COLOURS: Final = {
    "user": "1;34",
    "assistant": "",
    "thinking": "2;3",
    "call": "36",
    "failed": "31",
    "session": "32",
    "context": "35",
    "dim": "2",
}

LATEST: Final = "%H:%M:%S"


class Teller:
    """Names the day once whenever it changes, and each session by its project and the beginning of its id."""

    def __init__(self, *, coloured: bool) -> None:
        self._coloured = coloured
        self._day = ""

    def line(self, event: e.AnyEvent, cwd: str = "") -> str:
        """Return the line, or two when a new day begins; empty for what people need not see."""
        style, what = worded(event, cwd)
        if not what:
            return ""
        local = event.at.astimezone()
        day, clock = local.strftime("%Y-%m-%d"), local.strftime(LATEST)
        place = PurePosixPath(cwd).name or "?"
        where = f"{event.provider}:{event.session[:8]} {_printable(place)}"
        who = f" [{_printable(event.agent[:12])}]" if event.agent else ""
        line = f"{self._painted(f'{clock}  {where}{who}', 'dim')}  {self._painted(what, style)}"
        if day != self._day:
            self._day = day
            return f"{self._painted(f'— {day} —', 'dim')}\n{line}"
        return line

    def _painted(self, text: str, style: str) -> str:
        code = COLOURS[style]
        return f"\x1b[{code}m{text}\x1b[m" if self._coloured and code else text


def worded(event: e.AnyEvent, cwd: str = "") -> tuple[str, str]:
    """Return a style and what happened, on one line."""
    match event:
        case e.MessageAdded():
            lead = {"user": "> ", "thinking": "~ "}.get(event.role, "")
            text = one_line(event.text)
            style = event.role if event.role in ("user", "thinking") else "assistant"
            return style, f"{lead}{text}" if text else ""
        case e.ToolUsed():
            return "call", f"* {_printable(event.tool)} {subject(event, cwd)}".rstrip()
        case e.ToolReturned():
            return ("failed" if event.is_error else "dim"), _result(event)
        case e.AgentSpawned():
            return "call", f"* sub-agent {one_line(event.description)}".rstrip()
        case e.Compacted():
            sizes = f" {event.before:,} → {event.after:,} tokens" if event.before and event.after else ""
            return "context", f"compacted{sizes}"
        case e.ErrorRaised():
            return "failed", f"! {one_line(event.text)}"
        case e.TurnEnded():
            return ("failed", "interrupted") if event.interrupted else ("session", "done")
        case e.TitleChanged():
            return "session", f"is now called “{one_line(event.title)}”"
        case _:
            return _concluded(event)


def _concluded(event: e.AnyEvent) -> tuple[str, str]:
    match event:
        case e.SessionStarted():
            return "session", f"started in {one_line(event.cwd)}" if event.cwd else "started"
        case e.SessionIdled():
            return "session", "idle"
        case e.SessionResumed():
            return "session", "goes on"
        case e.SessionEnded():
            return "session", f"ended: {event.reason.replace('_', ' ')}, {event.confidence:.0%} sure"
        case e.ContextGrew():
            return "context", f"context grew by {event.tokens:,} tokens, mostly {one_line(event.cause)}"
        case e.Summarized():
            return "context", f"context {event.how}: {event.before:,} → {event.after:,} tokens"
        case e.UnknownRecord():
            return "dim", f"unknown record {one_line(event.type)}"
    return "dim", ""


def _result(event: e.ToolReturned) -> str:
    name = _printable(event.used.tool) if event.used is not None else "result"
    took = f" {event.seconds:.1f}s" if event.seconds is not None else ""
    lines = [change for change in event.files if change.added is not None or change.removed is not None]
    changed = f" +{sum(c.added or 0 for c in lines)} −{sum(c.removed or 0 for c in lines)}" if lines else ""
    said = one_line(event.output.strip().split("\n")[0]) if event.is_error else ""
    return f"{'✗' if event.is_error else '✓'} {name}{took}{changed}  {said}".rstrip()


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "·" for c in text)
