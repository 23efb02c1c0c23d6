"""Write events as JSON lines to a file that is turned over when it is full: `events.jsonl`, then `.1`, `.2`, ….

Lines are always whole, and the files are readable by their owner alone, because events hold what agents read and said.
"""

import os
import threading
from pathlib import Path
from typing import Final

import msgspec

from agentdeck.events import AnyEvent
from agentdeck.integrations.payloads import Template, everything

MAX_BYTES: Final = 10 * 1024 * 1024
KEEP: Final = 5
"""Bytes of a file, and older files that are kept."""


class LogSink:
    """`watcher.on_any(sink.write)` writes every event. Use as a context manager, or `close` it.

    `template` makes the JSON of a line: `payloads.everything` by default, `payloads.facts` leaves contents out. The
    file is opened at the first event. Raises `OSError` when it cannot be written; the watcher reports that.
    """

    def __init__(
        self, path: Path, *, max_bytes: int = MAX_BYTES, keep: int = KEEP, template: Template = everything
    ) -> None:
        self.path = path
        self.lines = 0
        """Written so far."""
        self._max_bytes = max_bytes
        self._keep = keep
        self._template = template
        self._lock = threading.Lock()
        self._fd = -1
        self._size = 0

    def __enter__(self) -> "LogSink":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, event: AnyEvent) -> None:
        line = msgspec.json.encode(self._template(event)) + b"\n"
        with self._lock:
            if self._fd < 0:
                self._open()
            if self._size and self._size + len(line) > self._max_bytes:
                self._turn_over()
            self._put(line)
            self.lines += 1

    def close(self) -> None:
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
            self._fd = -1

    def _open(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._fd).st_size
        if self._size and os.pread(self._fd, 1, self._size - 1) != b"\n":  # an earlier life was cut off in a line
            self._put(b"\n")

    def _put(self, line: bytes) -> None:
        """Write all of a line or none of it: what did not fit on the disk is taken back."""
        rest = line
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError:
            os.ftruncate(self._fd, self._size)
            raise
        self._size += len(line)

    def _turn_over(self) -> None:
        os.close(self._fd)
        self._fd = -1
        for number in range(self._keep, 0, -1):
            older = self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))
        if not self._keep:
            self.path.unlink(missing_ok=True)
        self._open()

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path
