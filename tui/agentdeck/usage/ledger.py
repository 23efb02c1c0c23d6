"""What was billed, for ever: one row per response, in SQLite.

Transcripts are rewritten, copied and deleted; the ledger only grows, and re-reading any file any number of times
changes nothing. One process writes at a time (SQLite's own lock); readers never wait. A file that is no ledger of
ours is moved aside and a new one begun, because everything in it that still has a transcript can be read again.

Long, because every statement that touches the tables is here; their shape is in `tables`.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from agentdeck.usage import aside
from agentdeck.usage.response import Response
from agentdeck.usage.tables import (
    HAS_ASIDES,
    PRIME,
    REPLAYS,
    SAVE_FILE,
    SAVE_SESSION,
    SCHEMA,
    TABLES,
    UPSERT,
    VERSION,
    VIEWS,
    identity,
)

WAIT: Final = 10.0
"""Seconds for another writer to finish. Ours write in steps of a second at most; who takes longer is stuck."""

CACHE: Final = 24 * 1024
"""KB of pages kept in memory: responses come in no order of their keys."""

CHECKPOINT: Final = 8192
"""Pages after which the log is written into the database: rarely while a whole history is taken in."""

STEP: Final = 20_000
"""Rows whose cost is computed anew in one step."""

BATCH: Final = 20_000
"""Rows that are kept in memory at most before they are written."""

STEPPING: Final = "codex"
"""The agent whose responses may be steps of a thread's total, with keys that begin with the thread's id."""


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
    """A digest of bytes at its beginning and just before `offset`."""
    state: bytes
    agent: str
    bad: int
    """Lines that could not be read."""


_NAMED: Final = "responses r JOIN kinds k ON k.id = r.kind JOIN sessions s ON s.id = r.owner"

_Bound = tuple[object, ...]
_Names = TypeVar("_Names", tuple[str, str], tuple[str, str, str, float])


class Ledger:
    """Use as a context manager, or `close` it.

    One that is damaged, or that somebody keeps locked, is moved aside: `problem` is told, and a new one begun. When
    that turns out in the middle of work, the work fails with the `sqlite3.Error` and `moved` is set: open it again and
    begin anew. Raises `OSError` and `sqlite3.Error` where no ledger can be: see `in_memory`.
    """

    _file: tuple[int, int] | None
    """Device and inode of the ledger that is open; None before, and in memory."""

    def __init__(self, path: Path, *, problem: Callable[[str], None] = lambda sentence: None) -> None:
        self._begin(path, problem)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._db = _opened(path)
        except sqlite3.DatabaseError as error:
            if not self._gave_way(error):
                raise
            self._db = _opened(path)
        self._file = _file_at(path)
        self._take_back()

    def _begin(self, path: Path, problem: Callable[[str], None]) -> None:
        self.moved = False
        self._path, self._problem = path, problem
        self._file = None
        self._rows: list[_Bound] = []
        self._marks: dict[bytes, FileMark] = {}
        """Not yet written: many rows in the order of their ids are taken much faster than each by itself."""
        self._kinds: dict[tuple[str, str, str, float], int] = {}
        self._owners: dict[tuple[str, str], int] = {}
        self._sessions: set[tuple[str, str, str, str]] = set()
        self._threads: set[str] = set()
        self._seen: tuple[int, int] | None = None
        """Which state of the ledger the replays were found in."""

    @classmethod
    def in_memory(cls, path: Path) -> "Ledger":
        """Return a ledger that is not kept, beginning with what can be read of the one at `path`."""
        ledger = cls.__new__(cls)
        ledger._begin(path, lambda sentence: None)
        ledger._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        from urllib.parse import quote  # rarely needed

        for how in ("mode=ro", "immutable=1"):
            try:
                with contextlib.closing(sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, timeout=1)) as kept:
                    kept.backup(ledger._db)
                _prepare(ledger._db)
                return ledger
            except sqlite3.Error:
                ledger._db.close()
                ledger._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        _prepare(ledger._db)
        return ledger

    def _gave_way(self, error: sqlite3.Error) -> bool:
        """Move the ledger aside if that helps against this error."""
        is_damaged = aside.is_damaged(error) or (self._file is None and aside.is_foreign(error))
        why = "broken" if is_damaged else "locked" if aside.is_locked(error) else ""
        if not why:
            return False
        if self._file is None or _file_at(self._path) == self._file:  # else another process was faster
            to = aside.move(self._path, why)
            if why == "broken":
                what = f"was damaged ({error}); it was moved to {to} and is made anew from the transcripts"
            else:
                what = f"is locked by another process; it was moved to {to} and is taken in again once it is free"
            self._problem(f"the usage ledger {what}")
        return True

    def _failed(self, error: sqlite3.Error) -> None:
        with contextlib.suppress(OSError):
            self.moved = self._file is not None and self._gave_way(error)

    def _take_back(self) -> None:
        """Take in what stands in ledgers that were locked once."""
        for kept in aside.free(self._path, "locked", VERSION):
            columns = "r.*, k.agent, k.model, k.tier, k.factor, s.session"
            rows = kept.execute(f"SELECT {columns} FROM {_NAMED}").fetchall()
            sessions = kept.execute("SELECT agent, session, parent, project FROM sessions").fetchall()
            threads = kept.execute("SELECT thread FROM threads").fetchall()
            with self.writing():
                for row in rows:
                    agent, model, tier, factor, session = row[18:]
                    kind, owner = self._kind(agent, model, tier, factor), self._owner(agent, session)
                    self._rows.append((row[0], kind, owner, *row[3:18], 0))
                self._db.executemany(SAVE_SESSION, sessions)
                self._db.executemany("INSERT OR IGNORE INTO threads VALUES(?)", threads)

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All or nothing: what a killed process had half written is gone."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._flush()
            except BaseException:
                self._forget()
                with contextlib.suppress(sqlite3.Error):  # an error such as a full disk may have done it already
                    self._db.execute("ROLLBACK")
                raise
            try:
                self._db.execute("COMMIT")
            except BaseException:
                self._forget()
                raise
        except sqlite3.DatabaseError as error:
            self._failed(error)
            raise

    def _flush(self) -> None:
        """Write what waits."""
        rows, self._rows = self._rows, []
        if rows:
            rows.sort(key=itemgetter(0))  # those of one id stay in their order
            self._db.executemany(UPSERT, rows)
        marks, self._marks = self._marks, {}
        if marks:
            self._db.executemany(SAVE_FILE, sorted(marks.values()))

    def _forget(self) -> None:
        """What was done since the last commit has not been."""
        self._rows.clear()
        self._seen = None
        for known in (self._marks, self._kinds, self._owners):
            known.clear()
        for names in (self._sessions, self._threads):
            names.clear()

    # ── files ──────────────────────────────────────────────────────────────────────────────────

    def files(self) -> dict[bytes, FileMark]:
        self._flush()
        return {row[0]: FileMark(*row) for row in self._db.execute("SELECT * FROM files")}

    def file(self, path: bytes) -> FileMark | None:
        if path in self._marks:
            return self._marks[path]
        row = self._db.execute("SELECT * FROM files WHERE path = ?", (path,)).fetchone()
        return FileMark(*row) if row is not None else None

    def save_file(self, mark: FileMark) -> None:
        self._marks[mark.path] = mark

    def gone(self, path: bytes) -> None:
        """The transcript is no more; what it told stays, its gauge too."""
        self._flush()
        self._db.execute("UPDATE files SET size = -1, inode = -1 WHERE path = ?", (path,))

    # ── responses ──────────────────────────────────────────────────────────────────────────────

    def add(
        self,
        responses: Iterable[Response],
        costs: Iterable[float | None],
        *,
        born: int,
        latest_wins: bool = False,
    ) -> None:
        """Take responses and their costs in.

        `born` is when their transcript began: of exact copies the oldest is the original.
        """
        last, owner, wins, append, from_bytes = None, 0, int(latest_wins), self._rows.append, int.from_bytes
        for response, cost in zip(responses, costs, strict=True):
            (agent, key, session, model, at, input, short, long, read, output, reasoning, web, tier, factor, message,
             sidechain, copied, counted) = response  # fmt: skip
            if session != last:
                last, owner = session, self._owner(agent, session)
            kind = self._kinds.get((agent, model, tier, factor)) or self._kind(agent, model, tier, factor)
            if agent == STEPPING and ":" in key:
                self._step(key)
            id = from_bytes(f"{agent}:{key}".encode("utf-8", "replace"), "big") % PRIME
            about = from_bytes(message.encode("utf-8", "replace"), "big") % PRIME if message else 0
            append((
                id, kind, owner, at, input, short, long, read, output, reasoning, web, about, +sidechain, +copied,
                +counted, input + short + long + read + output, born, cost, wins,
            ))  # fmt: skip
        if len(self._rows) >= BATCH:
            self._flush()

    def _kind(self, agent: str, model: str, tier: str, factor: float) -> int:
        return self._named(self._kinds, "kinds", ("agent", "model", "tier", "factor"), (agent, model, tier, factor))

    def _owner(self, agent: str, session: str) -> int:
        known = self._owners.get((agent, session))
        return known or self._named(self._owners, "sessions", ("agent", "session"), (agent, session))

    def _named(self, known: dict[_Names, int], table: str, columns: tuple[str, ...], names: _Names) -> int:
        """The number of a row that stands for some names; it is made if there is none."""
        found = known.get(names)
        if found is None:
            insert = f"INSERT OR IGNORE INTO {table}({', '.join(columns)}) VALUES({', '.join('?' * len(columns))})"
            made = self._db.execute(insert, names)
            if made.rowcount == 1:
                found = made.lastrowid
            else:
                where = " AND ".join(f"{column} = ?" for column in columns)
                (found,) = self._db.execute(f"SELECT id FROM {table} WHERE {where}", names).fetchone()
            assert found is not None
            known[names] = found
        return found

    def _step(self, key: str) -> None:
        thread = key.partition(":")[0]
        if thread not in self._threads:
            self._threads.add(thread)
            self._db.execute("INSERT OR IGNORE INTO threads VALUES(?)", (thread,))

    def is_known(self, agent: str, key: str) -> bool:
        """Whether a response is in the ledger; for a key without a colon, whether any step of that thread is."""
        if ":" in key:
            self._flush()
            query = "SELECT 1 FROM responses WHERE id = ?"
            return self._db.execute(query, (identity(agent, key),)).fetchone() is not None
        query = "SELECT 1 FROM threads WHERE thread = ?"
        return agent == STEPPING and self._db.execute(query, (key,)).fetchone() is not None

    def add_session(self, agent: str, session: str, *, parent: str, project: str) -> None:
        """`parent` is the session that it was forked from, `project` the directory it works in; empty if unknown."""
        names = (agent, session, parent, project)
        if names in self._sessions:
            return
        self._sessions.add(names)
        if (agent, session) not in self._owners:
            made = self._db.execute(
                "INSERT OR IGNORE INTO sessions(agent, session, parent, project) VALUES(?,?,?,?)", names
            )
            if made.rowcount == 1 and made.lastrowid is not None:
                self._owners[agent, session] = made.lastrowid
                return
        self._db.execute(SAVE_SESSION, names)

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
        last = -(2**63)
        while True:  # in steps, so that others can write in between
            with self.writing():
                rows = self._db.execute(
                    "SELECT r.id, k.agent, '', s.session, k.model, r.at, r.input, r.cw5, r.cw1h, r.cache_read,"
                    f" r.output, r.reasoning, r.web, k.tier, k.factor FROM {_NAMED} WHERE r.id > ? ORDER BY r.id"
                    f" LIMIT {STEP}",
                    (last,),
                ).fetchall()
                self._db.executemany(
                    "UPDATE responses SET cost = ? WHERE id = ?",
                    ((cost(Response(*row[1:])), row[0]) for row in rows),
                )
                if len(rows) < STEP:
                    self._db.execute("INSERT OR REPLACE INTO facts VALUES('prices', ?)", (version,))
                    return
            last = rows[-1][0]

    def query(self, sql: str, arguments: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        """Run a reading query over `billed`, the responses that count, or over `kept`, the same with numbers for names.

        Names of numbers are in `kinds` and `sessions`.
        """
        is_alone = not self._db.in_transaction
        try:
            self._flush()
            if is_alone:
                self._db.execute("BEGIN")  # all of it is about one state of the ledger
            try:
                if "billed" in sql or "kept" in sql:
                    self._find_replays()
                    sql = VIEWS + sql
                return self._db.execute(sql, arguments).fetchall()
            finally:
                if is_alone and self._db.in_transaction:
                    self._db.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            self._failed(error)
            raise

    def _find_replays(self) -> None:
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        if (version, self._db.total_changes) != self._seen:
            self._db.execute("DELETE FROM temp.replays")
            if self._db.execute(HAS_ASIDES).fetchone():
                self._db.execute(REPLAYS)
            self._seen = version, self._db.total_changes


def _opened(path: Path) -> sqlite3.Connection:
    """Open a ledger, waiting for others that do the same at this moment."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    until = time.monotonic() + WAIT
    while True:
        db = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            db.execute(f"PRAGMA cache_size=-{CACHE}")
            db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT}")
            _prepare(db)
        except sqlite3.DatabaseError as error:
            db.close()
            if not aside.is_locked(error) or time.monotonic() >= until:
                raise
            time.sleep(0.05)  # SQLite does not wait while the kind of its journal changes
        else:
            return db


def _prepare(db: sqlite3.Connection) -> None:
    """Make the tables, unless they are there."""
    if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        db.execute("BEGIN IMMEDIATE")
        if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:  # nobody was faster
            ours = "SELECT name FROM sqlite_master WHERE type='table' AND substr(name, 1, 6) <> 'share_'"
            for (name,) in db.execute(ours).fetchall():  # the shares' log lives in the same file
                db.execute(f'DROP TABLE "{name}"')
            for statement in SCHEMA.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version={VERSION}")
        db.execute("COMMIT")
    for table in TABLES:
        db.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()
    db.execute("PRAGMA temp_store=MEMORY")
    db.execute("CREATE TEMP TABLE IF NOT EXISTS replays(id INTEGER PRIMARY KEY)")


def _file_at(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
