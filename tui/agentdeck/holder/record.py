"""How a program ended, kept on disk for whoever comes after its holder has gone.

The file gets its full size when the session starts: a disk that is full at the end cannot lose the record. It is one
line of JSON and then the program's last output as it was.
"""

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path  # not at run time: a holder has no use for it, and it is large

EXIT_SUFFIX: Final = ".exit"
TAIL: Final = 60 * 1024
_SIZE: Final = 64 * 1024


class ExitRecord(NamedTuple):
    status: int | None
    """What it returned; None when a signal ended it, or when its holder failed."""
    signal: int | None
    ended: float
    """Seconds since 1970, 0 when not known."""
    tail: bytes
    """The last output, at most `TAIL` bytes."""
    error: str
    """What went wrong with the session itself, in words."""


class ExitFile:
    """The writing side. The file may be deleted under us at any time; `prepare` then makes it again."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1
        self._content = b""

    @property
    def written(self) -> bool:
        return bool(self._content)

    def prepare(self) -> None:
        """Reserve the file's space if there is none yet. Raises `OSError`."""
        if self._fd >= 0 and os.fstat(self._fd).st_nlink:
            return
        self.close()
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(self._path, flags, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(fd, 0, _SIZE)
            else:
                os.pwrite(fd, bytes(_SIZE), 0)
        except OSError:
            os.close(fd)
            os.unlink(self._path)  # noqa: PTH108 - a holder works without pathlib
            raise
        self._fd = fd
        if self._content:
            os.pwrite(fd, self._content, 0)

    def write(self, record: ExitRecord) -> None:
        """Keep the record, and put it on disk as far as that can be done now; `prepare` tries again."""
        head: dict[str, Any] = {**record._asdict(), "tail": len(record.tail), "version": 1}
        self._content = json.dumps(head).encode("ascii") + b"\n" + record.tail
        with contextlib.suppress(OSError):
            if self._fd < 0:
                self.prepare()
            else:
                os.pwrite(self._fd, self._content, 0)

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._path)  # noqa: PTH108

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def exit_record(run: "Path", id: str) -> ExitRecord | None:
    """Read how session `id` ended. None while it runs, and when nobody was left to write it down."""
    try:
        head, _, rest = (run / f"{id}{EXIT_SUFFIX}").read_bytes().partition(b"\n")
        fields = json.loads(head)
        return ExitRecord(fields["status"], fields["signal"], fields["ended"], rest[: fields["tail"]], fields["error"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
