"""A terminal on a real PTY whose output is timed instead of drawn.

It answers the queries that a terminal application asks at its start, and counts what it is sent: bytes, and frames by
their synchronized-update marks.
"""

import os
import re
import select
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import ptyprocess

COLS, ROWS = 200, 50
TAIL = 1 << 16
_QUERY = re.compile(rb"\x1b\[0?c|\x1b\[\?2026\$p")
_ANSWERS = {b"\x1b[c": b"\x1b[?62;22c", b"\x1b[0c": b"\x1b[?62;22c", b"\x1b[?2026$p": b"\x1b[?2026;2$y"}


class Seat:
    """Use as a context manager."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> None:
        self.started = time.perf_counter()
        self._process = ptyprocess.PtyProcess.spawn(list(argv), cwd=str(cwd), env=dict(env), dimensions=(ROWS, COLS))
        self._fd: int = self._process.fd
        self.tail = b""
        self.bytes = 0
        self.frames = 0

    @property
    def pid(self) -> int:
        return int(self._process.pid)

    def press(self, data: bytes) -> None:
        os.write(self._fd, data)

    def read(self, seconds: float) -> bytes:
        """Return what arrives first within `seconds`, b"" if nothing does. Raises EOFError at the end."""
        if not select.select([self._fd], [], [], max(0.0, seconds))[0]:
            return b""
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:
            data = b""
        if not data:
            raise EOFError(f"the program ended; its last words: {self.tail[-500:]!r}")
        self.bytes += len(data)
        self.frames += data.count(b"\x1b[?2026l")
        seen = len(self.tail)
        self.tail += data
        for query in _QUERY.finditer(self.tail, max(0, seen - 8)):
            if query.end() > seen:
                self.press(_ANSWERS[query[0]])
        if len(self.tail) > 2 * TAIL:
            self.tail = self.tail[-TAIL:]
        return data

    def wait_for(self, wanted: bytes, seconds: float = 30.0) -> float:
        """Read until `wanted` has come since the last `clear`, and return when it did (perf_counter)."""
        deadline = time.perf_counter() + seconds
        while wanted not in self.tail:
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{wanted!r} never came; the last bytes: {self.tail[-2000:]!r}")
            self.read(0.2)
        return time.perf_counter()

    def drain(self, seconds: float) -> None:
        """Read and forget everything for `seconds`."""
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            self.read(left)

    def settle(self, quiet: float = 0.5, seconds: float = 10.0) -> None:
        """Read until nothing has come for `quiet` seconds."""
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline and self.read(quiet):
            pass

    def clear(self) -> None:
        self.tail = b""

    def __enter__(self) -> "Seat":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.close(force=True)
