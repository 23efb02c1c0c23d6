"""What the operating system commands mean that a program sends to its host.

Titles (0, 2), working directory (7, 9;9), notifications (9, 99, 777), progress (9;4), clipboard (52) and program
status (7501). Sources: xterm's control sequences, ConEmu's OSC 9, kitty's desktop notifications, and the Program
Status Protocol, revision 0.4. Everything else is ignored, and a question about the clipboard is never answered.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote_to_bytes

from agentdeck.protocol.messages import ProgramStatus, Progress
from agentdeck.terminal import text
from agentdeck.terminal.events import (
    ClipboardSet,
    CwdChanged,
    Notified,
    Progressed,
    StatusReported,
    TerminalEvent,
    TitleChanged,
)
from agentdeck.terminal.osc import CLIPBOARD_LIMIT, Osc

TITLE_LIMIT: Final = 256
"""Characters of a title."""
BODY_LIMIT: Final = 1024
"""Characters of a notification or a status message."""
_PATH_LIMIT: Final = 4096
_STATES: Final = frozenset({"idle", "working", "blocked", "done", "error"})
_OPEN_PARTS: Final = 16


class Reports:
    """Turns commands into events. It remembers only unfinished notifications and which tasks are blocked."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._title = ""
        self._progress = Progress()
        self._parts: dict[bytes, tuple[bytes, bytes]] = {}
        self._main = ProgramStatus()
        self._blocked: dict[bytes, ProgramStatus] = {}
        self._readers: dict[bytes, Callable[[bytes], TerminalEvent | None]] = {
            b"0": self._set_title,
            b"2": self._set_title,
            b"7": _directory,
            b"9": _nine,
            b"52": _clipboard,
            b"99": self._kitty_notification,
            b"777": _notify,
            b"7501": self._status,
        }

    def read(self, osc: Osc) -> TerminalEvent | None:
        reader = self._readers.get(osc.number)
        event = reader(osc.body) if reader else None
        if isinstance(event, Progressed):
            self._progress = event.progress
        return event

    def as_vt(self) -> bytes:
        """Return the commands that bring a program's title, progress and status to where they are now."""
        parts = [b"\x1b]2;" + self._title.encode() + b"\x1b\\"] if self._title else []
        if self._progress.state:
            parts.append(b"\x1b]9;4;%d;%d\x1b\\" % (self._progress.state, self._progress.percent))
        if self._main.state:
            parts.append(_status_as_vt(self._main))
        parts += [_status_as_vt(status, task) for task, status in self._blocked.items()]
        return b"".join(parts)

    def _set_title(self, body: bytes) -> TerminalEvent | None:
        title = text.line(body, TITLE_LIMIT)
        if title == self._title:
            return None
        self._title = title
        return TitleChanged(title)

    def _kitty_notification(self, body: bytes) -> TerminalEvent | None:
        metadata, _, payload = body.partition(b";")
        fields = dict(_pairs(metadata))
        if fields.get(b"e") == b"1":
            payload = _unbase64(payload) or b""
        part, key = fields.get(b"p", b"title"), fields.get(b"i", b"")[:64]
        if part not in (b"title", b"body"):
            return None
        title, content = self._parts.pop(key, (b"", b""))
        if part == b"title":
            title = (title + payload)[: TITLE_LIMIT * 4]
        else:
            content = (content + payload)[: BODY_LIMIT * 4]
        if fields.get(b"d") == b"0":
            self._parts[key] = (title, content)
            if len(self._parts) > _OPEN_PARTS:
                del self._parts[next(iter(self._parts))]
            return None
        return _notification(title, content)

    def _status(self, body: bytes) -> TerminalEvent | None:
        """Fold one report into the status of the whole program.

        A report with an `id` speaks of one task inside it: that it is blocked blocks the program, the rest of
        what it says is left to the program's own reports.
        """
        fields = dict(_pairs(body))
        state = fields.get(b"state", b"").decode("ascii", "replace")
        if state not in _STATES and state != "clear":
            return None
        status = ProgramStatus(
            state="" if state == "clear" else state,
            kind=text.line(fields.get(b"kind", b""), 32),
            message=text.line(_unbase64(fields.get(b"msg", b"")) or b"", BODY_LIMIT),
            title=text.line(_unbase64(fields.get(b"title", b"")) or b"", TITLE_LIMIT),
            at=self._now(),
        )
        if task := fields.get(b"id", b"")[:64]:
            was_blocked = self._blocked.pop(task, None) is not None
            if state == "blocked":
                self._blocked[task] = status
                if len(self._blocked) > _OPEN_PARTS:
                    del self._blocked[next(iter(self._blocked))]
            elif not was_blocked:
                return None
        else:
            self._main = status
            if state == "clear":
                self._blocked.clear()
        return StatusReported(next(reversed(self._blocked.values()), self._main))


def is_status_query(osc: Osc) -> bool:
    """Whether the program asks if its host understands OSC 7501; the answer is the question itself."""
    return osc.number == b"7501" and osc.body == b"?"


def _status_as_vt(status: ProgramStatus, task: bytes = b"") -> bytes:
    fields = [b"state=" + status.state.encode(), b"kind=" + status.kind.encode()]
    fields += [
        name + base64.b64encode(value.encode())
        for name, value in ((b"msg=", status.message), (b"title=", status.title))
        if value
    ]
    if task:
        fields.append(b"id=" + task)
    return b"\x1b]7501;" + b":".join(fields) + b"\x1b\\"


def _nine(body: bytes) -> TerminalEvent | None:
    first, _, rest = body.partition(b";")
    if not first.isdigit() or int(first[:3]) > 12:
        return _notification(b"", body)
    if first == b"4":
        fields = rest.split(b";")
        state = _number(fields[0], 4)
        percent = _number(fields[1], 100) if len(fields) > 1 and state in (1, 2, 4) else 0
        return Progressed(Progress(state, percent))
    if first == b"9":
        return _path(rest.strip(b'"'))
    return None


def _notify(body: bytes) -> TerminalEvent | None:
    kind, _, rest = body.partition(b";")
    title, _, content = rest.partition(b";")
    return _notification(title, content) if kind == b"notify" else None


def _notification(title: bytes, content: bytes) -> TerminalEvent | None:
    event = Notified(text.line(title, TITLE_LIMIT), text.line(content, BODY_LIMIT))
    return event if event.title or event.body else None


def _clipboard(body: bytes) -> TerminalEvent | None:
    _, _, payload = body.partition(b";")
    data = None if payload == b"?" else _unbase64(payload)
    if not data or len(data) > CLIPBOARD_LIMIT:
        return None
    return ClipboardSet(text.paragraph(data, CLIPBOARD_LIMIT))


def _directory(body: bytes) -> TerminalEvent | None:
    scheme, found, rest = body.partition(b"://")
    if not found:
        return _path(body)
    path = rest[max(rest.find(b"/"), 0) :]
    return _path(unquote_to_bytes(path) if scheme == b"file" else path)


def _path(path: bytes) -> TerminalEvent | None:
    decoded = path.decode("utf-8", "replace")
    if not decoded.startswith("/") or len(decoded) > _PATH_LIMIT or text.removed(decoded) != decoded:
        return None
    return CwdChanged(decoded)


def _pairs(fields: bytes) -> list[tuple[bytes, bytes]]:
    return [(key, value) for key, found, value in (field.partition(b"=") for field in fields.split(b":")) if found]


def _number(digits: bytes, most: int) -> int:
    return min(int(digits[:6]), most) if digits.isdigit() else 0


def _unbase64(data: bytes) -> bytes | None:
    try:
        return base64.b64decode(data.rstrip(b"=") + b"=" * (-len(data.rstrip(b"=")) % 4))
    except binascii.Error:
        return None
