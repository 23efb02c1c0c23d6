"""The last output of a session with its times, for `agentdeck report`: bounded, and dear only when it is asked for.

It is kept in generations. Each begins with a snapshot of the screen, so that the oldest one can go at any time; those
that are full are compressed. Terminal output compresses well, so a session costs some 300 kB at most.
"""

import zlib
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

FULL: Final = 192 * 1024
"""Bytes of a generation."""

KEPT: Final = 3
"""Full generations that are kept."""

TOGETHER: Final = 0.02
"""Seconds within which output counts as one piece, unless it tells something: states are judged by every title."""

_TELLS: Final = b"\x1b]"


class _Full(NamedTuple):
    snapshot: bytes
    times: tuple[tuple[float, int], ...]
    """When each piece came, and how long it is."""
    packed: bytes


class Tape:
    def __init__(self, snapshot: Callable[[], bytes]) -> None:
        """`snapshot` returns what recreates the screen as it is now; see `Emulator.snapshot`."""
        self._snapshot = snapshot
        self._full: deque[_Full] = deque(maxlen=KEPT)
        self._begin = b""
        self._times: list[tuple[float, int]] = []
        self._data = bytearray()

    def add(self, at: float, data: bytes) -> None:
        """Take in output just before the screen does."""
        if len(self._data) >= FULL:
            self._full.append(_Full(self._begin, tuple(self._times), zlib.compress(bytes(self._data), 1)))
            self._times, self._data = [], bytearray()
        if not self._times:
            self._begin = self._snapshot()
        if self._times and at - self._times[-1][0] < TOGETHER and _TELLS not in data:
            self._times[-1] = (self._times[-1][0], self._times[-1][1] + len(data))
        else:
            self._times.append((at, len(data)))
        self._data += data

    def play(self) -> Iterator[tuple[float, bytes]]:
        """Yield the snapshot with which it begins, then every piece, with their unix times."""
        generations = [
            *((old.snapshot, old.times, zlib.decompress(old.packed)) for old in self._full),
            (self._begin, tuple(self._times), bytes(self._data)),
        ]
        for number, (snapshot, times, data) in enumerate(generations):
            if number == 0 and times:
                yield times[0][0], snapshot
            offset = 0
            for at, size in times:
                yield at, data[offset : offset + size]
                offset += size
