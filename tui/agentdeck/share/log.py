"""The durable side of shares: one log each with one sequence, and what a room must remember, in SQLite.

An event is stored before anybody hears of it, and a sender's key is unique in the database itself, so that a message
that is sent again after a lost answer is stored once. Nothing in it can let anybody in: secrets are hashes.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from agentdeck.protocol.viewers import VERSION, Envelope

WAIT: Final = 3.0
"""Seconds for another writer of the same file."""

KEEP: Final = 7 * 24 * 3600.0
"""Seconds after which the log of a share that is over is deleted."""

SIZE: Final = 50 * 1024 * 1024
"""Bytes of bodies in one share; the oldest events go first."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS share_log(
    share TEXT, seq INTEGER, kind TEXT, at REAL, author TEXT, key TEXT, body BLOB, PRIMARY KEY(share, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS share_keys ON share_log(share, author, key) WHERE key <> '';
CREATE TABLE IF NOT EXISTS share_items(
    share TEXT, kind TEXT, id TEXT, body BLOB, PRIMARY KEY(share, kind, id)
) WITHOUT ROWID;
"""


class Draft(NamedTuple):
    """An event before it has its number."""

    kind: str
    at: float
    by: str
    body: bytes
    key: str = ""


class Item(NamedTuple):
    """Something that a room remembers; a body of None forgets it."""

    kind: str
    id: str
    body: bytes | None


class DuplicateError(Exception):
    """The sender's key is in the log already, as event `seq`."""

    def __init__(self, seq: int) -> None:
        super().__init__(f"it is event {seq}")
        self.seq = seq


class Log:
    """Used by one thread at a time. Raises `sqlite3.Error` where the disk or the file fails."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def append(self, share: str, drafts: Sequence[Draft], items: Iterable[Item] = ()) -> list[Envelope]:
        """Store all or nothing; return the events with their numbers. Raises `DuplicateError`."""
        db = self._open()
        try:
            db.execute("BEGIN IMMEDIATE")
            (last,) = db.execute("SELECT coalesce(max(seq), 0) FROM share_log WHERE share = ?", (share,)).fetchone()
            for draft in drafts:
                if draft.key and (known := self._known(db, share, draft)):
                    raise DuplicateError(known)
            rows = [(share, last + n, d.kind, d.at, d.by, d.key, d.body) for n, d in enumerate(drafts, 1)]
            db.executemany("INSERT INTO share_log VALUES(?,?,?,?,?,?,?)", rows)
            for item in items:
                if item.body is None:
                    db.execute("DELETE FROM share_items WHERE (share, kind, id) = (?,?,?)", (share, item.kind, item.id))
                else:
                    db.execute("INSERT OR REPLACE INTO share_items VALUES(?,?,?,?)", (share, *item))
            db.execute("COMMIT")
        except BaseException:
            self._undo(db)
            raise
        return [
            Envelope(v=VERSION, t=d.kind, seq=last + n, ts=d.at, by=d.by, id=d.key, d=msgspec.Raw(d.body))
            for n, d in enumerate(drafts, 1)
        ]

    def read(
        self, share: str, since: int, count: int, kinds: Sequence[str] = (), *, before: int = 0
    ) -> list[Envelope]:  # fmt: skip
        """Up to `count` events after `since`, oldest first; with `before` the newest ones that came before that."""
        wanted = f" AND kind IN ({','.join('?' * len(kinds))})" if kinds else ""
        rows = self._open().execute(
            "SELECT kind, seq, at, author, key, body FROM share_log WHERE share = ? AND seq > ? AND seq < ?"
            f"{wanted} ORDER BY seq {'DESC' if before else 'ASC'} LIMIT ?",
            (share, since, before or 2**62, *kinds, count),
        )
        found = [
            Envelope(v=VERSION, t=kind, seq=seq, ts=at, by=author, id=key, d=msgspec.Raw(body))
            for kind, seq, at, author, key, body in rows
        ]
        return found[::-1] if before else found

    def last(self, share: str) -> int:
        (last,) = (
            self._open().execute("SELECT coalesce(max(seq), 0) FROM share_log WHERE share = ?", (share,)).fetchone()
        )
        return int(last)

    def items(self, share: str) -> list[Item]:
        rows = self._open().execute("SELECT kind, id, body FROM share_items WHERE share = ?", (share,))
        return [Item(kind, id, body) for kind, id, body in rows]

    def purge(self, share: str) -> None:
        """Delete everything that is known of a share."""
        db = self._open()
        db.execute("DELETE FROM share_log WHERE share = ?", (share,))
        db.execute("DELETE FROM share_items WHERE share = ?", (share,))

    def tidy(self, now: float, live: Iterable[str]) -> None:
        """Delete what is too old, of shares that are over, and the oldest events of a log that is too large."""
        db, kept = self._open(), set(live)
        rows = db.execute("SELECT share, max(at), sum(length(body)), max(seq) FROM share_log GROUP BY share").fetchall()
        for share, newest, size, last in rows:
            if share not in kept and newest < now - KEEP:
                self.purge(share)
            elif size > SIZE:
                db.execute("DELETE FROM share_log WHERE share = ? AND seq < ?", (share, last // 2))

    def _known(self, db: sqlite3.Connection, share: str, draft: Draft) -> int:
        row = db.execute(
            "SELECT seq FROM share_log WHERE (share, author, key) = (?,?,?)", (share, draft.by, draft.key)
        ).fetchone()
        return int(row[0]) if row else 0

    @staticmethod
    def _undo(db: sqlite3.Connection) -> None:
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                os.fchmod(fd, 0o600)
            finally:
                os.close(fd)
            db = sqlite3.connect(self._path, timeout=WAIT, isolation_level=None, check_same_thread=False)
            try:
                db.execute("PRAGMA journal_mode=WAL")
                db.execute("PRAGMA synchronous=NORMAL")
                for statement in _SCHEMA.split(";"):
                    db.execute(statement)
            except sqlite3.Error:
                db.close()
                raise
            self._db = db
        return self._db
