"""Keep the ledger up to date beside other work: in slices, today's transcripts first, then what changes.

`scan` does all of it at once; this does the same for a worker that must answer at once and can be killed at any time.
Everything here waits for the disk, so call it from a thread, one call at a time.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from agentdeck.transcripts.roots import Found, Root, is_transcript, transcripts
from agentdeck.usage.ledger import FileMark, Ledger
from agentdeck.usage.prices import Prices
from agentdeck.usage.scan import Scanner, in_order, originals_first

SLICE: Final = 0.25
"""Seconds of work between two commits."""

FORK: Final = b'"forked_from_id":"'
FORK_WITHIN: Final = 64 * 1024
"""Bytes at the beginning of a rollout that tell whether it is a fork, which has to be read after its parent."""


class Books:
    """Opening may move a damaged ledger aside; `problem` is told so. All of it raises `OSError` and `sqlite3.Error`."""

    def __init__(self, path: Path, prices: Prices, roots: Sequence[Root], *, problem: Callable[[str], None]) -> None:
        self.ledger = Ledger(path, problem=problem)
        self.prices = prices
        self._roots = tuple(roots)
        self._scanner = Scanner(self.ledger, prices)
        self._waiting: list[Found] = []
        self._stopped = False

    def close(self) -> None:
        self.ledger.close()

    def stop(self) -> None:
        """Make the slice that is under way end soon; safe from any thread."""
        self._stopped = True

    @property
    def complete(self) -> bool:
        """Whether everything that was found has been taken in."""
        return not self._waiting

    def look(self) -> None:
        """Find everything that changed, and what is gone."""
        rows = self.ledger.query("SELECT path, device, inode, size, changed FROM files")
        known: dict[object, tuple[object, ...]] = {row[0]: row[1:] for row in rows}
        found: dict[bytes, Found] = {}
        for root in self._roots:
            found.update((each.path, each) for each in transcripts(root))
        self._waiting = in_order(each for each in found.values() if known.get(each.path) != each[2:])
        lost = [path for path, mark in known.items() if path not in found and mark[2] != -1]
        if lost:
            with self.ledger.writing():
                for path in lost:
                    if isinstance(path, bytes):
                        self.ledger.gone(path)

    def take_today(self, seconds: float) -> list[FileMark]:
        """Take in what changed since midnight, newest first, for at most that long."""
        midnight = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
        recent = [each for each in self._waiting if each.changed / 1e9 >= midnight and not _is_fork(each)]
        recent.sort(key=lambda each: -each.changed)
        return self._take(recent, seconds) if recent else []

    def take(self, seconds: float = SLICE) -> list[FileMark]:
        """Take in some of what is waiting."""
        return self._take(self._waiting, seconds) if self._waiting else []

    def take_these(self, paths: Iterable[bytes]) -> list[FileMark]:
        """Take in these transcripts, which have changed. Forks wait until all that may be their parents are in."""
        changed: list[Found] = []
        for path in paths:
            found = self._found(path)
            if found is not None and (self.complete or not _is_fork(found)):
                changed.append(found)
            elif found is not None:
                self._waiting.append(found)
        return self._take(in_order(changed), 3600.0) if changed else []

    def mark(self, path: bytes) -> FileMark | None:
        return self.ledger.file(path)

    def recent_marks(self, since: float) -> list[FileMark]:
        """The transcripts that have changed after a moment, in unix seconds."""
        rows = self.ledger.query("SELECT * FROM files WHERE changed >= ?", (round(since * 1e9),))
        return [FileMark(*row) for row in rows]  # type: ignore[arg-type]

    def _take(self, files: Sequence[Found], seconds: float) -> list[FileMark]:
        until = time.monotonic() + seconds
        taken: set[bytes] = set()
        marks: list[FileMark] = []
        with self.ledger.writing():
            for file in originals_first(files):
                if taken and (time.monotonic() >= until or self._stopped):
                    break
                taken.add(file.path)
                before = self.mark(file.path)
                if before is not None and before[1:5] == file[2:]:
                    continue
                self._scanner.read(file, before)
                after = self.mark(file.path)
                if after is not None:
                    marks.append(after)
        self._waiting = [each for each in self._waiting if each.path not in taken]
        return marks

    def _found(self, path: bytes) -> Found | None:
        agent = next(
            (r.agent for r in self._roots if path.startswith(os.fsencode(os.path.realpath(r.path)) + b"/")), ""
        )
        if not agent or not is_transcript(agent, path):
            return None
        try:
            status = os.lstat(path)
        except OSError:
            return None
        return Found(agent, path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _is_fork(file: Found) -> bool:
    """Whether it must wait for its parent; only rollouts can."""
    if file.agent != "codex" or file.path.endswith(b".zst"):
        return file.agent == "codex"
    try:
        fd = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return FORK in os.read(fd, FORK_WITHIN)
    except OSError:
        return False
    finally:
        os.close(fd)
