"""The queue on disk: one line for each operation, on the disk before it takes effect.

A line that a crash has cut is no operation: it had not taken effect. The file is written anew, whole, when it is
opened, and when it has become long.
"""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from agentdeck.queue.core import Added, Counted, Dropped, Operation, Paused, Prompts, apply

LONG: Final = 2000
"""Lines after which the file is written anew."""

REMEMBERED: Final = 200
"""Prompts with a `ref` of which it is known how they left the queue."""

_DECODE: Final = msgspec.json.Decoder(Operation)


def read(path: Path) -> list[Operation]:
    """Return what the journal says; lines that make no sense are left out. Raises `OSError`."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    found: list[Operation] = []
    for line in data.split(b"\n")[:-1]:
        try:
            found.append(_DECODE.decode(line))
        except (msgspec.DecodeError, msgspec.ValidationError):
            continue
    return found


class Journal:
    """The queue and its file. Every method that changes something raises `OSError` and then changes nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1
        self._lines = 0
        self.prompts: Prompts = ()
        self.last = 0
        """The highest number that a prompt ever had here."""
        self.paused: frozenset[str] = frozenset()
        """Sessions of which nothing goes out."""
        self.over: dict[str, str] = {}
        """How prompts with a `ref` left the queue, the newest last."""

    def open(self) -> None:
        for operation in read(self._path):
            self._take(operation)
        self._rewrite()

    def note(self, *operations: Operation) -> None:
        """Write operations down, then let them take effect."""
        if self._fd < 0:
            self._rewrite()
        data = _lines(operations)
        end = os.lseek(self._fd, 0, os.SEEK_END)
        try:
            if os.write(self._fd, data) != len(data):
                raise OSError(28, os.strerror(28))
            os.fsync(self._fd)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, end)
            raise
        for operation in operations:
            self._take(operation)
        self._lines += len(operations)
        if self._lines > LONG:
            with contextlib.suppress(OSError):
                self._rewrite()

    def _take(self, operation: Operation) -> None:
        match operation:
            case Added(prompt):
                self.last = max(self.last, prompt.n)
            case Counted(last, over):
                self.last = max(self.last, last)
                self.over |= over
            case Dropped(n, how):
                self.over |= {each.ref: how for each in self.prompts if each.n == n and each.ref}
                self.over = dict(list(self.over.items())[-REMEMBERED:])
            case Paused(session, on):
                self.paused = self.paused | {session} if on else self.paused - {session}
            case _:
                pass
        self.prompts = apply(self.prompts, operation)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _rewrite(self) -> None:
        """Write down what there is, and no more, in the place of the old file."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self._path.with_suffix(".tmp")
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(temporary, flags, 0o600)
        try:
            data = _lines([Counted(self.last, self.over), *map(Paused, sorted(self.paused)), *map(Added, self.prompts)])
            if os.write(fd, data) != len(data):
                raise OSError(28, os.strerror(28))
            os.fsync(fd)
            temporary.rename(self._path)
            _sync_directory(self._path.parent)
        except OSError:
            os.close(fd)
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        self.close()
        self._fd, self._lines = fd, len(self.prompts)


def _lines(operations: Iterable[Operation]) -> bytes:
    return b"".join(msgspec.json.encode(each) + b"\n" for each in operations)


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
