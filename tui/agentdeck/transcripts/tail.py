"""Read what was appended to a file since the last look, line by line, whatever has happened to the file meanwhile.

Events of a file system are hints and sizes lie, so the claim that a file only grew is proved each time: its beginning
and the bytes before our position must still be what they were. If not, reading starts again and says so; whoever folds
the lines must then recognise what he has seen. The position never stands inside a line. An edit in the middle that
keeps the length is not noticed: no CLI does that.
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

_PROBLEMS: Final = {
    errno.ENOENT: "gone",
    errno.ENOTDIR: "gone",
    errno.EACCES: "denied",
    errno.EPERM: "denied",
    errno.ELOOP: "not a file",
}


class Position(NamedTuple):
    """Where we are, and how we know the file for the same one."""

    device: int
    inode: int
    offset: int
    """Just after the last complete line that was given out."""
    head: int
    """CRC-32 of the first `min(offset, 1024)` bytes."""
    mark: int
    """CRC-32 of the last `min(offset, 64)` bytes before `offset`."""


class Stamp(NamedTuple):
    """A file as its last complete look found it: if nothing of this differs, nothing was written."""

    device: int
    inode: int
    size: int
    changed: int
    """Modification time in nanoseconds."""


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
    """Follows one path. `position` may be kept and given to another Tail later. Links are not followed."""

    def __init__(self, path: str | bytes, position: Position | None = None) -> None:
        self.path = path
        self.position = position or _START
        self.seen: Stamp | None = None
        self._partial = b""
        """What was read of the incomplete last line, unless it is being skipped."""
        self._skipped = 0
        """Bytes of an oversize line that were read and dropped."""
        self._edge = b""
        """The last bytes of those."""
        self._lead = b""
        """And the first."""
        self._head = b""
        """The first bytes of the file, up to the position, as the last look proved them."""
        self._before = b""
        """The bytes before the position, likewise."""

    @property
    def pending(self) -> bytes:
        """The incomplete last line, as far as it was read: it may be shown, but it is not yet a record."""
        return self._partial

    def look(self, budget: int = BUDGET) -> Look:
        try:
            found = os.lstat(self.path)
            if self.seen == _stamp(found):
                return Look([])
            if not stat.S_ISREG(found.st_mode):  # opening a FIFO or a device may wait or do something
                self.seen = None
                return Look([], problem="not a file")
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError as error:
            return self._failed(error)
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                return Look([], problem="not a file")
            return self._read(fd, found, budget)
        except OSError as error:
            return self._failed(error)
        finally:
            os.close(fd)

    def _failed(self, error: OSError) -> Look:
        self.seen = None
        return Look([], problem=_PROBLEMS.get(error.errno or 0) or error.strerror or "unreadable")

    def _read(self, fd: int, found: os.stat_result, budget: int) -> Look:
        reached = self._reached
        data = os.pread(fd, budget, reached)
        # checked after reading: if the file was rewritten in between, what was read is dropped
        reset = self._reset(fd, found)
        if reset:
            self.position = _START
        if reset or self._reached != reached:
            data = os.pread(fd, budget, self._reached)
        self.position = self.position._replace(device=found.st_dev, inode=found.st_ino)
        more = bool(data) and self._reached + len(data) < found.st_size
        lines = self._take(data)
        self.seen = None if more or not budget else _stamp(found)
        return Look(lines, reset=reset, more=more)

    @property
    def _reached(self) -> int:
        return self.position.offset + len(self._partial) + self._skipped

    def _forget_partial(self) -> None:
        self._partial, self._skipped, self._edge = b"", 0, b""

    def _reset(self, fd: int, found: os.stat_result) -> str:
        """Return why we have to begin again, or nothing. An incomplete line that has changed is forgotten."""
        here = self.position
        same = (here.device, here.inode) == (found.st_dev, found.st_ino)
        head = os.pread(fd, min(HEAD, here.offset), 0)
        before = os.pread(fd, min(MARK, here.offset), max(0, here.offset - MARK))
        reset = ""
        if found.st_size < here.offset:
            reset = "truncated" if same else "replaced"
        elif (zlib.crc32(head), zlib.crc32(before)) != (here.head, here.mark):
            reset = "rewritten" if same else "replaced"
        if reset:
            self._forget_partial()
            self._head = self._before = b""
            return reset
        self._head, self._before = head, before
        if not self._is_kept(fd):
            self._forget_partial()
        return ""

    def _is_kept(self, fd: int) -> bool:
        """Whether what was read of the incomplete line still stands there, by its ends if it is long."""
        start, end = self.position.offset, self._reached
        first = self._lead if self._skipped else self._partial[:HEAD]
        last = self._edge if self._skipped else self._partial[-MARK:]
        return os.pread(fd, len(first), start) == first and os.pread(fd, len(last), end - len(last)) == last

    def _take(self, data: bytes) -> list[tuple[int, bytes]]:
        """Cut `data`, which stands where we had read to, into lines, and move on."""
        begin = offset = self.position.offset
        lines: list[tuple[int, bytes]] = []
        skipped = b""
        if self._skipped:
            end = data.find(b"\n") + 1
            if not end:
                self._skipped += len(data)
                self._edge = (self._edge + data)[-MARK:]
                return lines
            skipped = self._lead + self._edge + data[:end]  # enough of it for both checksums
            lines.append((offset, OVERSIZE))
            offset += self._skipped + end
            data = data[end:]
            self._forget_partial()
        text = self._partial + data if self._partial else data
        *whole, rest = text.split(b"\n")
        for line in whole:
            lines.append((offset, line if len(line) <= LINE_LIMIT else OVERSIZE))
            offset += len(line) + 1
        if len(rest) > LINE_LIMIT:
            self._partial, self._skipped, self._edge, self._lead = b"", len(rest), rest[-MARK:], rest[:HEAD]
        else:
            self._partial = rest
        if offset != begin:
            taken = len(text) - len(rest)
            head = self.position.head
            if begin < HEAD:
                head = zlib.crc32((self._head + skipped + text[: min(HEAD, taken)])[: min(HEAD, offset)])
            before = (self._before + skipped[-MARK:] + text[max(0, taken - MARK) : taken])[-MARK:]
            self.position = self.position._replace(offset=offset, head=head, mark=zlib.crc32(before))
        return lines


def _stamp(found: os.stat_result) -> Stamp:
    return Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
