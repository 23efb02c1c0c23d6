"""What was told of one transcript, so that it is known again when the file is rewritten.

Lines are remembered by a hash, the newest few thousand of them. As long as none was forgotten, a line that is read
again is told only if it stands in the file more often than it was told. Once some were forgotten, and across restarts
with only the last few known, a line is also old if it stands before the last one that we know, and says nothing newer
than what was told.
"""

import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

KEPT: Final = 2048
"""Hashes per file; about 100 bytes each."""

SAVED: Final = 8
"""Hashes that survive a restart."""


_UUID: Final = re.compile(rb'"uuid":"([0-9a-f-]{36})"')


def digest(line: bytes) -> int:
    """What a line is known by: its records' own ids if it has any, because a rewriting may link them differently."""
    names = _UUID.findall(line)
    return int.from_bytes(blake2b(b"".join(names) if names else line, digest_size=7).digest(), "big")


class Told:
    """`last` and `latest` are from an earlier life: then more was told than is remembered."""

    def __init__(self, last: Iterable[int] = (), latest: float = 0.0, *, kept: int = KEPT) -> None:
        self._kept = kept
        self._counts: dict[int, int] = dict.fromkeys(last, 1)
        self.complete = not self._counts
        self.latest = latest
        """Unix seconds of the newest event that was told."""
        self._again: dict[int, int] | None = None
        self._old_until = 0

    @property
    def last(self) -> tuple[int, ...]:
        return tuple(self._counts)[-SAVED:]

    def add(self, mark: int, at: float) -> None:
        self._counts[mark] = self._counts.pop(mark, 0) + 1
        self.latest = max(self.latest, at)
        if len(self._counts) > self._kept:
            del self._counts[next(iter(self._counts))]
            self.complete = False

    def again(self, lines: Iterable[tuple[int, bytes]], *, has_times: bool) -> None:
        """The file is read from its start once more. `lines`, with their offsets, are only looked at when needed."""
        self._again = dict(self._counts)
        self._old_until = 0
        if not self.complete:
            known = [offset for offset, line in lines if digest(line) in self._counts]
            self._old_until = known[-1] + 1 if known else (2**63 if has_times else 0)

    def knows(self, mark: int, offset: int, at: float) -> bool:
        """Whether this line was told before; asked once for each line that is read, in order."""
        if self._again is None:
            return False
        left = self._again.get(mark, 0)
        if left:
            self._again[mark] = left - 1
            return True
        return offset < self._old_until and at <= self.latest
