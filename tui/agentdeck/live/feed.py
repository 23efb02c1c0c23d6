"""The event feed of one session: what the agent did, one line each, kept to a bound.

A call is one line: pending when it begins, completed in place when its result comes.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

import msgspec

from agentdeck import events as e
from agentdeck.live.wording import one_line, subject
from agentdeck.protocol.facts import FeedLine

KEPT: Final = 1000
"""Lines; older ones are in the transcript."""


class Feed:
    def __init__(self) -> None:
        self.cwd = ""
        self._lines: OrderedDict[int, FeedLine] = OrderedDict()
        self._calls: dict[str, int] = {}
        self._last = 0

    def add(self, event: e.AnyEvent) -> FeedLine | None:
        """Take an event in; return the line that is new or was completed by it."""
        line = self._line(event)
        if line is None:
            return None
        self._lines[line.n] = line
        while len(self._lines) > KEPT:
            _, oldest = self._lines.popitem(last=False)
            if oldest.call:
                self._calls.pop(oldest.call, None)
        return line

    def before(self, number: int, count: int) -> list[FeedLine]:
        """Return up to `count` lines before line `number` (0: the newest), oldest first."""
        wanted = [line for n, line in self._lines.items() if not number or n < number]
        return wanted[-count:] if count > 0 else []

    def _line(self, event: e.AnyEvent) -> FeedLine | None:
        match event:
            case e.SessionStarted():
                self.cwd = event.cwd or self.cwd
                return self._new(event, "session", f"started in {event.cwd}" if event.cwd else "started")
            case e.MessageAdded():
                text = one_line(event.text)
                return self._new(event, event.role, text, tokens=_output(event.tokens)) if text else None
            case e.ToolUsed():
                line = self._new(event, event.tool, subject(event, self.cwd), status="pending", call=event.call)
                self._calls[event.call] = line.n
                return line
            case e.ToolReturned():
                return self._returned(event)
            case e.AgentSpawned():
                return self._new(event, "agent", one_line(event.description), call=event.call)
            case e.Compacted():
                sizes = f"{event.before:,} → {event.after:,} tokens" if event.before and event.after else ""
                return self._new(event, "compacted", f"{event.trigger} {sizes}".strip())
            case e.ErrorRaised():
                return self._new(event, "error", one_line(event.text), status="error")
            case e.TurnEnded() if event.interrupted:
                return self._new(event, "interrupted", "by the person")
            case e.ContextGrew():
                return self._new(event, "context", f"grew by {event.tokens:,} tokens, mostly {event.cause}")
            case e.Summarized() if event.how != "record":
                words = "summary, inferred" if event.how == "inferred" else "pruned"
                return self._new(event, "context", f"{words}: {event.before:,} → {event.after:,} tokens")
            case e.SessionResumed():
                return self._new(event, "session", "goes on")
            case e.SessionEnded():
                return self._new(event, "session", f"ended: {event.reason}")
        return None

    def _returned(self, event: e.ToolReturned) -> FeedLine:
        status = "error" if event.is_error else "ok"
        added, removed = _sums(event.files)
        known = self._lines.get(self._calls.get(event.call, 0))
        if known is None:
            tool = event.used.tool if event.used is not None else "result"
            text = subject(event.used, self.cwd) if event.used is not None else one_line(event.output)
            known = self._new(event, tool, text, call=event.call)
        return msgspec.structs.replace(known, status=status, seconds=event.seconds, added=added, removed=removed)

    def _new(
        self, event: e.AnyEvent, title: str, text: str, *, status: str = "", call: str = "", tokens: int = 0
    ) -> FeedLine:
        self._last += 1
        return FeedLine(
            n=self._last,
            at=event.at.timestamp(),
            kind=event.kind,
            title=title,
            text=text,
            status=status,
            tokens=tokens,
            call=call,
            agent=event.agent,
        )


def _output(tokens: e.Tokens | None) -> int:
    return tokens.output if tokens is not None else 0


def _sums(files: Iterable[e.FileChange]) -> tuple[int | None, int | None]:
    """Lines added and removed in all files; None when nobody told."""
    added = [change.added for change in files if change.added is not None]
    removed = [change.removed for change in files if change.removed is not None]
    return (sum(added) if added else None, sum(removed) if removed else None)
