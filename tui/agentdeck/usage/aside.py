"""A ledger that cannot be used: told apart by what is wrong with it, moved out of the way, taken back in later.

What is damaged is kept for whoever wants to look into it. What somebody holds locked is whole, so its rows are taken
into the new ledger as soon as it is free: transcripts that are deleted meanwhile are not forgotten.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LOCKED: Final = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED))
DAMAGED: Final = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT))

PARTS: Final = ("", "-wal", "-shm")
"""The files of a database."""


def is_locked(error: sqlite3.Error) -> bool:
    return _code(error) in LOCKED


def is_damaged(error: sqlite3.Error) -> bool:
    return _code(error) in DAMAGED


def is_foreign(error: sqlite3.Error) -> bool:
    """Whether a simple question was not understood: it is a database, but its tables are not ours."""
    return _code(error) == sqlite3.SQLITE_ERROR


def move(path: Path, why: str) -> Path:
    """Move a database out of the way; return where to. Raises `OSError`."""
    aside = path.with_name(f"{path.name}.{why}-{time.time_ns() // 1_000_000}-{os.getpid()}")
    for part in PARTS:
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{part}").rename(f"{aside}{part}")
    return aside


def free(path: Path, why: str, version: int) -> Iterator[sqlite3.Connection]:
    """Yield the databases that were moved aside for `why` and nobody holds any more; each is removed afterwards."""
    for aside in sorted(path.parent.glob(f"{path.name}.{why}-*")):
        if aside.name.endswith(PARTS[1:]):
            continue
        with contextlib.suppress(sqlite3.Error, OSError), contextlib.closing(_opened(aside)) as db:
            if db.execute("PRAGMA user_version").fetchone()[0] != version:
                continue
            db.execute("BEGIN EXCLUSIVE")
            yield db
            db.execute("ROLLBACK")
            for part in PARTS:
                Path(f"{aside}{part}").unlink(missing_ok=True)


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=0, isolation_level=None)


def _code(error: sqlite3.Error) -> int:
    """The primary code of an error; errors of the Python module itself have none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
