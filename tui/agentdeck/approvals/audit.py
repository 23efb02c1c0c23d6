"""The audit log: every decision over a tool call, one JSON object a line, in a file that only its owner reads.

Appended with one write each, so that several processes can; kept at a bounded size by setting the old half aside. An
input can hold secrets: what is kept of it is one shortened line.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from agentdeck.approvals.call import ToolCall

LARGEST: Final = 8 * 1024 * 1024
"""Bytes after which the log is set aside as `.1` and begun anew."""
SUBJECT: Final = 500
"""Characters kept of what a call was about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`at` is unix time. `decision`: allow, always, deny, hand back, warn, expired, answered there, ended …"""

    at: float = field(default_factory=time.time)
    decision: str
    who: str
    """deck, cli, rule, always, nobody or cli's own dialog."""
    why: str = ""
    session: str = ""
    name: str = ""
    provider: str = ""
    tool: str = ""
    subject: str = ""
    cwd: str = ""
    rule: str = ""
    risk: str = ""
    approval: str = ""
    waited: float = 0.0
    """Seconds."""

    @classmethod
    def of(cls, call: ToolCall, **more: object) -> "Entry":
        subject = call.subject if len(call.subject) <= SUBJECT else f"{call.subject[:SUBJECT]}…"
        known = {"provider": call.provider, "tool": call.tool, "subject": subject, "cwd": call.cwd}
        return cls(**{**known, **more})  # type: ignore[arg-type]


class AuditLog:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""
        """Why the last entry could not be written, empty when it was."""

    def write(self, entry: Entry) -> None:
        """Append an entry. A full disk is no reason to hold an agent up: it is remembered in `problem`."""
        line = json.dumps(asdict(entry), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            handle = os.open(self.path, flags, 0o600)
            try:
                os.fchmod(handle, 0o600)
                os.write(handle, line)
                full = os.fstat(handle).st_size > LARGEST
            finally:
                os.close(handle)
            if full:
                self.path.replace(self.path.with_suffix(".jsonl.1"))
        except OSError as error:
            self.problem = f"the approval log {self.path} cannot be written: {error.strerror}"
        else:
            self.problem = ""

    def read(self, last: int = 0) -> list[dict[str, object]]:
        """The entries, oldest first; only the `last` ones when it is not 0. A torn line is left out."""
        found = [entry for path in (self.path.with_suffix(".jsonl.1"), self.path) for entry in _entries(path)]
        return found[-last:] if last else found


def _entries(path: Path) -> Iterator[dict[str, object]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry
