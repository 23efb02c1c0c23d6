"""What a program in a PTY can tell its host besides what it draws.

Every text in an event is already free of control characters and bounded.
"""

from dataclasses import dataclass

from agentdeck.protocol.messages import ProgramStatus, Progress


@dataclass(frozen=True, slots=True)
class Bell:
    count: int = 1
    """Bells since the events were last taken."""


@dataclass(frozen=True, slots=True)
class TitleChanged:
    title: str


@dataclass(frozen=True, slots=True)
class Progressed:
    progress: Progress


@dataclass(frozen=True, slots=True)
class StatusReported:
    status: ProgramStatus


@dataclass(frozen=True, slots=True)
class Notified:
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class ClipboardSet:
    """The program asks to set the clipboard; nothing is set until the person allows it."""

    text: str


@dataclass(frozen=True, slots=True)
class CwdChanged:
    path: str


TerminalEvent = Bell | TitleChanged | Progressed | StatusReported | Notified | ClipboardSet | CwdChanged

_LATEST_ONLY = (TitleChanged, Progressed, ClipboardSet, CwdChanged)
_KEPT = 64


class EventLog:
    """Events between two takes, bounded: a flood keeps the newest.

    Of titles, progress, clipboard texts and directories only the last one counts; bells are added up.
    """

    def __init__(self) -> None:
        self._events: list[TerminalEvent] = []
        self._bells = 0

    def ring(self) -> None:
        self._bells += 1

    def add(self, event: TerminalEvent) -> None:
        if isinstance(event, _LATEST_ONLY):
            self._events = [earlier for earlier in self._events if type(earlier) is not type(event)]
        self._events.append(event)
        del self._events[:-_KEPT]

    def take(self) -> list[TerminalEvent]:
        events, self._events = self._events, []
        if self._bells:
            events.append(Bell(self._bells))
            self._bells = 0
        return events
