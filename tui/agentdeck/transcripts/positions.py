"""Where we are in every transcript, on disk: written whole, atomically, and worth nothing more than some re-reading."""

import os
from pathlib import Path

import msgspec

from agentdeck.transcripts.tail import Position


class Place(msgspec.Struct, array_like=True):
    """What is remembered of a transcript that is not being read at the moment."""

    size: int
    changed: int
    """Modification time in nanoseconds."""
    offset: int
    """Lines that end before it were told, or are too old to be told."""
    position: Position | None = None
    """None when it was never read as lines."""
    last: tuple[int, ...] = ()
    """Hashes of the last lines that were told."""
    latest: float = 0.0
    """Unix seconds of the newest event that was told."""

    is_read: bool = True
    """Whether it holds more than the file system itself remembers."""

    @classmethod
    def unread(cls, size: int, changed: int) -> "Place":
        """The place in a file that is too old to be read: all that is in it counts as told."""
        return cls(size, changed, size, latest=changed / 1e9, is_read=False)

    def is_same(self, size: int, changed: int) -> bool:
        return (self.size, self.changed) == (size, changed)


class Positions(msgspec.Struct):
    at: float = 0.0
    """Unix seconds when they were saved; 0 when they never were."""
    places: dict[bytes, Place] = {}


def load(path: Path) -> Positions:
    """Return what was saved, or nothing if it cannot be read."""
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Positions)
    except (OSError, msgspec.DecodeError):
        return Positions()


def save(path: Path, positions: Positions) -> None:
    """Raises `OSError`; what was saved before is still there then."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        with open(os.open(temporary, flags, 0o600), "wb") as file:
            file.write(msgspec.msgpack.encode(positions))
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
