"""What was billed, for ever: one row per response, in SQLite.

Transcripts are rewritten, copied and deleted; the ledger only grows, and re-reading any file any number of times
changes nothing. One process writes at a time (SQLite's own lock); readers never wait. A file that is no ledger of
ours is moved aside and a new one begun, because everything in it that still has a transcript can be read again.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from agentdeck.usage.response import Response

VERSION: Final = 1

WAIT: Final = 10.0
"""Seconds for another writer to finish."""

_SCHEMA: Final = """
CREATE TABLE files(
    path BLOB PRIMARY KEY, device INTEGER, inode INTEGER, size INTEGER, changed INTEGER, offset INTEGER,
    mark BLOB, state BLOB, agent TEXT, bad INTEGER
) WITHOUT ROWID;
CREATE TABLE responses(
    agent TEXT, key TEXT, session TEXT, model TEXT, at INTEGER, input INTEGER, cw5 INTEGER, cw1h INTEGER,
    cache_read INTEGER, output INTEGER, reasoning INTEGER, web INTEGER, tier TEXT, factor REAL, message TEXT,
    sidechain INTEGER, copied INTEGER, counted INTEGER, total INTEGER, born INTEGER, cost REAL,
    PRIMARY KEY(agent, key)
) WITHOUT ROWID;
CREATE INDEX replays ON responses(message) WHERE sidechain = 1 AND message <> '';
CREATE TABLE sessions(
    agent TEXT, session TEXT, parent TEXT, project TEXT, PRIMARY KEY(agent, session)
) WITHOUT ROWID;
CREATE TABLE facts(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""

_COLUMNS: Final = (
    "agent, key, session, model, at, input, cw5, cw1h, cache_read, output, reasoning, web, tier, factor, message,"
    " sidechain, copied, counted, total, born, cost"
)
_NUMBERS: Final = (
    "model",
    "input",
    "cw5",
    "cw1h",
    "cache_read",
    "output",
    "reasoning",
    "web",
    "tier",
    "factor",
    "cost",
)

_EARLIER: Final = (
    "(excluded.copied, CASE excluded.at WHEN 0 THEN 9e15 ELSE excluded.at END, excluded.born)"
    " < (responses.copied, CASE responses.at WHEN 0 THEN 9e15 ELSE responses.at END, responses.born)"
)
"""The first record of a response owns it; a copy in a fork never does while the original is known."""

_UPSERT: Final = (
    f"INSERT INTO responses({_COLUMNS}) VALUES({','.join('?' * 21)}) ON CONFLICT(agent, key) DO UPDATE SET "
    + ", ".join(
        f"{name} = CASE WHEN ?22 OR excluded.total > responses.total THEN excluded.{name} ELSE responses.{name} END"
        for name in (*_NUMBERS, "total")
    )
    + ", "
    + ", ".join(
        f"{name} = CASE WHEN {_EARLIER} THEN excluded.{name} ELSE responses.{name} END"
        for name in ("session", "copied", "born")
    )
    + ", at = CASE WHEN responses.at = 0 OR (excluded.at > 0 AND excluded.at < responses.at)"
    " THEN excluded.at ELSE responses.at END, sidechain = min(excluded.sidechain, responses.sidechain)"
)

BILLED: Final = (
    "NOT (r.sidechain = 1 AND r.message <> '' AND EXISTS(SELECT 1 FROM originals o WHERE o.message = r.message))"
)


class FileMark(NamedTuple):
    """Where we are in one transcript, and how we know it for the same one."""

    path: bytes
    device: int
    inode: int
    size: int
    changed: int
    """Modification time in nanoseconds."""
    offset: int
    """Everything before it has been taken in."""
    mark: bytes
    """The bytes just before `offset`."""
    state: bytes
    agent: str
    bad: int
    """Lines that could not be read."""


class Ledger:
    """Use as a context manager, or `close` it."""

    def __init__(self, path: Path, *, problem: Callable[[str], None] = lambda sentence: None) -> None:
        self._path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._db = self._open()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                raise
            aside = path.with_name(f"{path.name}.broken-{int(time.time())}")
            for suffix in ("", "-wal", "-shm"):
                with contextlib.suppress(OSError):
                    Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
            problem(f"the usage ledger was damaged ({error}); it was moved to {aside} and is made anew")
            self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.close(fd)
        db = sqlite3.connect(self._path, timeout=WAIT, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version != VERSION:
                db.execute("BEGIN IMMEDIATE")
                if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:  # nobody was faster
                    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall():
                        db.execute(f'DROP TABLE "{name}"')
                    for statement in _SCHEMA.split(";"):
                        db.execute(statement)
                    db.execute(f"PRAGMA user_version={VERSION}")
                db.execute("COMMIT")
            db.execute("SELECT count(*) FROM files").fetchone()
        except sqlite3.DatabaseError:
            db.close()
            raise
        return db

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All or nothing: what a killed process had half written is gone."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # ── files ──────────────────────────────────────────────────────────────────────────────────

    def files(self) -> dict[bytes, FileMark]:
        rows = self._db.execute("SELECT path, device, inode, size, changed, offset, mark, state, agent, bad FROM files")
        return {row[0]: FileMark(*row) for row in rows}

    def save_file(self, mark: FileMark) -> None:
        self._db.execute("INSERT OR REPLACE INTO files VALUES(?,?,?,?,?,?,?,?,?,?)", mark)

    def gone(self, path: bytes) -> None:
        """The transcript is no more; what it told stays, its gauge too."""
        self._db.execute("UPDATE files SET size = -1, inode = -1 WHERE path = ?", (path,))

    # ── responses ──────────────────────────────────────────────────────────────────────────────

    def add(
        self,
        responses: Iterable[Response],
        cost: Callable[[Response], float | None],
        *,
        born: int,
        latest_wins: bool = False,
    ) -> None:
        """Take responses in. `born` is when their transcript began: of exact copies the oldest is the original."""
        self._db.executemany(
            _UPSERT,
            ((*r[:15], r.sidechain, r.copied, r.counted, r.total, born, cost(r), latest_wins) for r in responses),
        )

    def is_known(self, agent: str, key: str) -> bool:
        """Whether a response is in the ledger; for a key without a colon, whether any of that thread is."""
        if ":" in key:
            query = "SELECT 1 FROM responses WHERE agent = ? AND key = ?"
            return self._db.execute(query, (agent, key)).fetchone() is not None
        query = "SELECT 1 FROM responses WHERE agent = ? AND key >= ? AND key < ? LIMIT 1"
        return self._db.execute(query, (agent, key + ":", key + ";")).fetchone() is not None

    def add_session(self, agent: str, session: str, *, parent: str, project: str) -> None:
        """`parent` is the session that it was forked from, `project` the directory it works in; empty if unknown."""
        self._db.execute(
            "INSERT INTO sessions VALUES(?1, ?2, ?3, ?4) ON CONFLICT(agent, session) DO UPDATE SET"
            " project = CASE WHEN project = '' THEN ?4 ELSE project END",
            (agent, session, parent, project),
        )

    def ancestors(self, agent: str, thread: str) -> list[str]:
        """The threads that `thread` was forked from, nearest first."""
        found: list[str] = []
        while thread and thread not in found:
            row = self._db.execute("SELECT parent FROM sessions WHERE agent = ? AND session = ?", (agent, thread))
            thread = (row.fetchone() or ("",))[0]
            if thread:
                found.append(thread)
        return found

    def reprice(self, version: str, cost: Callable[[Response], float | None]) -> None:
        """Compute every cost again if the prices are not those of the last time."""
        row = self._db.execute("SELECT value FROM facts WHERE name = 'prices'").fetchone()
        if row is not None and row[0] == version:
            return
        with self.writing():
            rows = self._db.execute(
                "SELECT agent, key, session, model, at, input, cw5, cw1h, cache_read, output, reasoning, web, tier,"
                " factor, message, sidechain, copied, counted FROM responses"
            ).fetchall()
            self._db.executemany(
                "UPDATE responses SET cost = ? WHERE agent = ? AND key = ?",
                ((cost(Response(*row)), row[0], row[1]) for row in rows),
            )
            self._db.execute("INSERT OR REPLACE INTO facts VALUES('prices', ?)", (version,))

    def query(self, sql: str, arguments: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        """Run a reading query over `billed`: the responses that count, replays left out."""
        with_billed = (
            "WITH originals AS MATERIALIZED (SELECT DISTINCT message FROM responses WHERE sidechain = 0 AND message IN"
            " (SELECT message FROM responses WHERE sidechain = 1 AND message <> '')),"
            f" billed AS (SELECT r.* FROM responses r WHERE {BILLED}) "
        )
        return self._db.execute(with_billed + sql, arguments).fetchall()
