"""Read what was appended to a file since the last look, line by line, whatever has happened to the file meanwhile.

Events of a file system are hints and sizes lie, so the claim that a file only grew is proved each time: the checksums
of its beginning and of the bytes before our position must still be right. If not, reading starts again and says so;
whoever folds the events must then recognise what he has seen. The position never stands inside a line.
"""

import errno
import os
import stat
import zlib
from typing import Final, NamedTuple

BUDGET: Final = 4 * 1024 * 1024
"""Bytes read in one look, so that one huge file cannot hold up the others."""

LINE_LIMIT: Final = 16 * 1024 * 1024
"""Bytes; a longer line is given as a placeholder."""

OVERSIZE: Final = b'{"type":"agentdeck-oversize"}'

HEAD: Final = 1024
MARK: Final = 64


class Position(NamedTuple):
    """Where we are, and how we know the file for the same one."""

    device: int
    inode: int
    offset: int
    """Just after the last complete line that was given out."""
    head: int
    """CRC-32 of the first `min(offset, 1024)` bytes."""
    mark: int
    """CRC-32 of the 64 bytes before `offset`."""


class Look(NamedTuple):
    """What one look at the file brought."""

    lines: list[tuple[int, bytes]]
    """Offset and text of each complete line, without its newline."""
    reset: str = ""
    """truncated, rewritten or replaced: `lines` begin anew from the start of the file."""
    problem: str = ""
    """gone, denied, not a file, or the system's words."""
    more: bool = False
    """The budget is used up; look again soon."""


_START: Final = Position(0, 0, 0, 0, 0)


class Tail:
    """Follows one path. `position` may be kept and given to another Tail later."""

    def __init__(self, path: str | bytes, position: Position | None = None) -> None:
        self.path = path
        self.position = position or _START
        self._known = position is not None
        self._partial = b""
        self._skipping = False
        self._seen: tuple[int, int, int, int] | None = None
        """Device, inode, size and time of the last look that read everything."""

    @property
    def pending(self) -> bytes:
        """The incomplete last line, as far as it was read: it may be shown, but it is not yet a record."""
        return self._partial

    def look(self, budget: int = BUDGET) -> Look:
        try:
            found = os.stat(self.path)
            if self._seen == (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns):
                return Look([])
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            return self._failed(error)
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                return Look([], problem="not a file")
            reset = self._check(fd, found)
            return self._read(fd, found, reset, budget)
        except OSError as error:
            return self._failed(error)
        finally:
            os.close(fd)

    def _failed(self, error: OSError) -> Look:
        self._seen = None
        problems = {errno.ENOENT: "gone", errno.ENOTDIR: "gone", errno.EACCES: "denied", errno.EPERM: "denied"}
        return Look([], problem=problems.get(error.errno or 0) or error.strerror or "unreadable")

    def _check(self, fd: int, found: os.stat_result) -> str:
        """Return why we have to begin again, or nothing; afterwards the position is right."""
        here = self.position
        if not self._known:
            self._known, self.position = True, _START._replace(device=found.st_dev, inode=found.st_ino)
            return ""
        same = (here.device, here.inode) == (found.st_dev, found.st_ino)
        if found.st_size < here.offset:
            reset = "truncated" if same else "replaced"
        elif here.offset and (
            zlib.crc32(os.pread(fd, min(HEAD, here.offset), 0)) != here.head
            or zlib.crc32(os.pread(fd, min(MARK, here.offset), max(0, here.offset - MARK))) != here.mark
        ):
            reset = "rewritten" if same else "replaced"
        else:
            part = len(self._partial)
            kept = (
                part == 0
                or os.pread(fd, MARK, here.offset + part - min(MARK, part))[: min(MARK, part)]
                == (self._partial[-MARK:])
            )
            if not kept:
                self._partial = b""
            self.position = here._replace(device=found.st_dev, inode=found.st_ino)
            return ""
        self.position = _START._replace(device=found.st_dev, inode=found.st_ino)
        self._partial, self._skipping = b"", False
        return reset

    def _read(self, fd: int, found: os.stat_result, reset: str, budget: int) -> Look:
        offset = self.position.offset
        data = os.pread(fd, budget, offset + len(self._partial))
        read_to = offset + len(self._partial) + len(data)
        more = read_to < found.st_size and bool(data)
        text = self._partial + data
        *lines, rest = text.split(b"\n")
        given: list[tuple[int, bytes]] = []
        for line in lines:
            if self._skipping:
                self._skipping = False
                given.append((offset, OVERSIZE))
            else:
                given.append((offset, line if len(line) <= LINE_LIMIT else OVERSIZE))
            offset += len(line) + 1
        if len(rest) > LINE_LIMIT or (self._skipping and rest):
            self._skipping = True
            offset += len(rest)
            rest = b""
        self._partial = rest
        if offset != self.position.offset:
            self._move(fd, offset)
        self._seen = None if more else (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        return Look(given, reset=reset, more=more)

    def _move(self, fd: int, offset: int) -> None:
        head = zlib.crc32(os.pread(fd, min(HEAD, offset), 0))
        mark = zlib.crc32(os.pread(fd, min(MARK, offset), max(0, offset - MARK)))
        self.position = self.position._replace(offset=offset, head=head, mark=mark)
