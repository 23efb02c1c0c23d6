"""The process that keeps the search index up to date: python -m agentdeck.worker.indexing INDEX CONFIG.

It runs while somebody searches in the deck. Reading a first gigabyte takes half a minute of CPU, so it is a process of
its own with low priority; each second of its work is committed and can be searched. It ends when its input closes.
"""

import contextlib
import os
import select
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agentdeck import sparing  # noqa: F401  (first)
from agentdeck.protocol.worker import Indexed
from agentdeck.search.gather import update
from agentdeck.search.index import Index, is_busy
from agentdeck.transcripts.roots import everywhere
from agentdeck.worker.pipe import Pipe

NICE: Final = 5

PAUSE: Final = 2.0
"""Seconds, at least, between two looks for what is new."""

DUTY: Final = 20
"""How many times longer than a look takes we wait for the next one."""

AGAIN: Final = 5.0
"""Seconds until an index that cannot be used is tried again."""


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the terminal is meant for others
    pipe = Pipe(os.dup(1))
    os.dup2(2, 1)  # nothing else may write among the frames
    with contextlib.suppress(OSError):
        os.nice(NICE)
    told: Indexed | None = None
    waits = 0.0
    while not _left_alone(waits):
        began = time.monotonic()
        for now in looking(Path(sys.argv[1]), Path(sys.argv[2])):
            if now != told or now.done:
                told = now
                pipe.write(now)
            if _left_alone(0.0):
                return
        broken = told is not None and bool(told.problem)
        waits = AGAIN if broken else max(PAUSE, DUTY * (time.monotonic() - began))


def looking(path: Path, config: Path) -> Iterator[Indexed]:
    """Look once for what is new and read it; say after each step how far that is. Raises nothing that can be named."""
    problems: list[str] = []
    try:
        with Index(path, problem=problems.append) as index:
            try:
                yield from _reading(index, config, problems)
            except sqlite3.DatabaseError as error:
                if is_busy(error):
                    raise
                index.moved_aside(problems.append, error)
                yield from _reading(index, config, problems)
    except (OSError, sqlite3.Error) as error:
        yield Indexed(problem=f"the newest words may be missing: {error}")


def _reading(index: Index, config: Path, problems: list[str]) -> Iterator[Indexed]:
    done = of = 0
    for step in update(index, everywhere(config, os.environ)):
        done, of = step.done, step.of
        if done < of:
            yield Indexed(done=done, of=of, problem=_all(problems))
    yield Indexed(done=done, of=of, complete=True, empty=index.empty, problem=_all(problems))


def _all(problems: list[str]) -> str:
    return "; ".join(problems)


def _left_alone(seconds: float) -> bool:
    """Wait so long; return whether the hub has closed our input."""
    readable, _, _ = select.select([0], [], [], seconds)
    return bool(readable) and not os.read(0, 1024)


if __name__ == "__main__":
    main()
