"""Every conversation of this machine by its words: SQLite's full-text index, in the state directory.

It holds words and places, no texts: a passage is read again from its transcript when it is shown, so whatever is
deleted there is not found here any more. Rows are numbered by time, which makes the newest hits the first that SQLite
finds, however many there are. All of it can be made again; a file that is damaged is moved aside.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from agentdeck.errors import AgentdeckError
from agentdeck.search.passages import ROLES, Passage, segmented

VERSION: Final = 1

WAIT: Final = 10.0
"""Seconds for another writer to finish."""

SHIFT: Final = 20
"""Bits of a row's number below its time in milliseconds."""

_SCHEMA: Final = """
CREATE TABLE files(
    id INTEGER PRIMARY KEY, path BLOB UNIQUE, agent TEXT, device INTEGER, inode INTEGER, size INTEGER,
    changed INTEGER, position BLOB, session TEXT, project TEXT, turn INTEGER, passages INTEGER
);
CREATE INDEX files_of_session ON files(agent, session);
CREATE TABLE turns(id INTEGER PRIMARY KEY, file INTEGER, offset INTEGER, role INTEGER, turn INTEGER);
CREATE INDEX turns_of_file ON turns(file);
CREATE VIRTUAL TABLE words USING fts5(
    text, content='', columnsize=0, tokenize='unicode61 remove_diacritics 2'
);
"""

_FILE_COLUMNS: Final = "id, path, agent, device, inode, size, changed, position, session, project, turn, passages"


class Indexed(NamedTuple):
    """A transcript as far as it is in the index."""

    id: int
    path: bytes
    agent: str
    device: int
    inode: int
    size: int
    changed: int
    """Modification time in nanoseconds."""
    position: bytes
    """Where its tail is, encoded; empty for documents."""
    session: str
    project: str
    turn: int
    """Messages of the main conversation so far."""
    passages: int


class Row(NamedTuple):
    """A passage that has the words, by place."""

    at: int
    """Unix milliseconds; 0 when unknown."""
    path: bytes
    agent: str
    session: str
    project: str
    offset: int
    role: str
    turn: int
    """Number of its message in the main conversation, from 0; negative when it belongs to none."""


class Index:
    """Use as a context manager, or `close` it. Raises `sqlite3.Error` and `OSError` for what cannot be mended."""

    def __init__(self, path: Path, *, problem: Callable[[str], None] = lambda sentence: None) -> None:
        self._path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._db = self._open()
        except sqlite3.DatabaseError as error:
            if is_busy(error):
                raise
            self._db = self._begin_again(problem, error)

    @property
    def path(self) -> Path:
        return self._path

    def __enter__(self) -> "Index":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    def moved_aside(self, problem: Callable[[str], None], error: sqlite3.Error) -> None:
        """The file turned out to be damaged: begin a new one."""
        self._db.close()
        self._db = self._begin_again(problem, error)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All or nothing: what a killed process had half written is gone."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # ── writing ────────────────────────────────────────────────────────────────────────────────

    def files(self) -> dict[bytes, Indexed]:
        rows = self._db.execute(f"SELECT {_FILE_COLUMNS} FROM files")
        return {row[1]: Indexed(*row) for row in rows}

    def file(self, path: bytes, agent: str) -> Indexed:
        """The row of a transcript, a new one if there is none."""
        row = self._db.execute(f"SELECT {_FILE_COLUMNS} FROM files WHERE path = ?", (path,)).fetchone()
        if row is not None:
            return Indexed(*row)
        done = self._db.execute("INSERT INTO files(path, agent) VALUES(?, ?)", (path, agent))
        return Indexed(done.lastrowid or 0, path, agent, 0, 0, -1, 0, b"", "", "", 0, 0)

    def transcripts_of(self, agent: str, session: str) -> list[Indexed]:
        """The rows of a session's main transcripts, the one that was written last at the end."""
        rows = self._db.execute(
            f"SELECT {_FILE_COLUMNS} FROM files WHERE agent = ? AND session = ? ORDER BY changed", (agent, session)
        )
        return [Indexed(*row) for row in rows if b"/subagents/" not in row[1]]

    def save(self, file: Indexed) -> None:
        self._db.execute(f"INSERT OR REPLACE INTO files({_FILE_COLUMNS}) VALUES({','.join('?' * 12)})", file)

    def add(self, file: int, found: Iterable[tuple[Passage, int]], count: int) -> int:
        """Take in passages, each with its turn; return how many there are of this file, which were `count` before."""
        for passage, turn in found:
            number = passage.at << SHIFT | (file * 7919 + count) & ((1 << SHIFT) - 1)
            values = (file, passage.offset, ROLES.index(passage.role), turn)
            while not self._db.execute("INSERT OR IGNORE INTO turns VALUES(?,?,?,?,?)", (number, *values)).rowcount:
                number += 1
            self._db.execute("INSERT INTO words(rowid, text) VALUES(?, ?)", (number, segmented(passage.text)))
            count += 1
        return count

    def drop(self, file: int) -> None:
        """Forget the passages of a transcript. Their words stay in the index, but lead nowhere."""
        self._db.execute("UPDATE turns SET file = 0 WHERE file = ?", (file,))

    def remove(self, file: int) -> None:
        """The transcript is no more."""
        self.drop(file)
        self._db.execute("DELETE FROM files WHERE id = ?", (file,))

    @property
    def waste(self) -> float:
        """Which part of the index leads nowhere."""
        gone, every = self._db.execute("SELECT count(*) FILTER (WHERE file = 0), count(*) FROM turns").fetchone()
        return gone / every if every else 0.0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to be found."""
        return self._db.execute("SELECT 1 FROM turns WHERE file != 0 LIMIT 1").fetchone() is None

    def interrupt(self) -> None:
        """End what is being asked, from another thread: it raises `sqlite3.OperationalError`."""
        self._db.interrupt()

    def clear(self) -> None:
        """Make it empty, to be filled anew."""
        with self.writing():
            self._db.execute("DELETE FROM files")
            self._db.execute("DELETE FROM turns")
            self._db.execute("INSERT INTO words(words) VALUES('delete-all')")

    # ── reading ────────────────────────────────────────────────────────────────────────────────

    def find(
        self, expression: str, *, agents: Sequence[str] = (), roles: Sequence[str] = (), since: int = 0
    ) -> Iterator[Row]:
        """Yield the passages that match an FTS5 expression, newest first. `since` is unix milliseconds."""
        wanted = f" AND f.agent IN ({','.join('?' * len(agents))})" if agents else ""
        numbers = [ROLES.index(role) for role in roles]
        wanted += f" AND t.role IN ({','.join('?' * len(numbers))})" if numbers else ""
        query = (
            "SELECT t.id, f.path, f.agent, f.session, coalesce(nullif(f.project, ''),"
            " (SELECT max(p.project) FROM files p WHERE p.agent = f.agent AND p.session = f.session), ''),"
            " t.offset, t.role, t.turn FROM words w"
            " CROSS JOIN turns t ON t.id = w.rowid CROSS JOIN files f ON f.id = t.file"
            f" WHERE words MATCH ? AND w.rowid >= ?{wanted} ORDER BY w.rowid DESC"
        )
        for number, path, agent, session, project, offset, role, turn in self._db.execute(
            query, (expression, since << SHIFT, *agents, *numbers)
        ):
            yield Row(number >> SHIFT, path, agent, session or "", project or "", offset, ROLES[role], turn)

    def turn_at(self, agent: str, session: str, at: int) -> int:
        """The number of a session's newest message of the main conversation at a time; -1 when there is none."""
        found = self._db.execute(
            "SELECT max(t.turn) FROM files f CROSS JOIN turns t ON t.file = f.id"
            " WHERE f.agent = ? AND f.session = ? AND t.id < ?",
            (agent, session, at + 1 << SHIFT),
        ).fetchone()[0]
        return -1 if found is None else int(found)

    # ── opening ────────────────────────────────────────────────────────────────────────────────

    def _begin_again(self, problem: Callable[[str], None], error: sqlite3.Error) -> sqlite3.Connection:
        aside = self._path.with_name(f"{self._path.name}.broken-{int(time.time())}")
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                Path(f"{self._path}{suffix}").rename(f"{aside}{suffix}")
        problem(f"the search index was damaged ({error}); it was moved to {aside} and is made anew")
        return self._open()

    def _open(self) -> sqlite3.Connection:
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.close(fd)
        db = sqlite3.connect(self._path, timeout=WAIT, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            db.execute("PRAGMA cache_size=-16000")
            if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                db.execute("BEGIN IMMEDIATE")
                if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:  # nobody was faster
                    for (name,) in db.execute(
                        "SELECT name FROM sqlite_master WHERE type='table' AND name IN ('files','turns','words')"
                    ).fetchall():
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


def unusable(path: Path, error: Exception) -> AgentdeckError:
    """What to tell a person when the index can be neither read nor made anew."""
    return AgentdeckError(
        f"the search index {path} cannot be used: {error}",
        hint="make room on the disk, or remove the file: it is made anew from the transcripts",
    )


def is_busy(error: sqlite3.Error) -> bool:
    """Whether somebody else is at it, or the disk is; nothing is wrong with the file then."""
    return (
        isinstance(error, sqlite3.OperationalError)
        and not isinstance(error, sqlite3.InternalError)
        and (any(word in str(error) for word in ("locked", "busy", "disk", "unable to open", "readonly", "full")))
    )
