"""The tables of the ledger, and the rules by which a row that comes again changes the one that is there.

Rows are narrow, because a history has hundreds of thousands: what repeats (sessions, models with their tiers) stands in
tables of its own, and keys are numbers.
"""

from typing import Final

VERSION: Final = 3

SCHEMA: Final = """
CREATE TABLE files(
    path BLOB PRIMARY KEY, device INTEGER, inode INTEGER, size INTEGER, changed INTEGER, offset INTEGER,
    mark BLOB, state BLOB, agent TEXT, bad INTEGER
) WITHOUT ROWID;
CREATE TABLE responses(
    id INTEGER PRIMARY KEY, kind INTEGER, owner INTEGER, at INTEGER,
    input INTEGER, cw5 INTEGER, cw1h INTEGER, cache_read INTEGER, output INTEGER, reasoning INTEGER, web INTEGER,
    message INTEGER, sidechain INTEGER, copied INTEGER, counted INTEGER, total INTEGER, born INTEGER, cost REAL
);
CREATE INDEX asides ON responses(message) WHERE sidechain = 1 AND message <> 0;
CREATE TABLE kinds(
    id INTEGER PRIMARY KEY, agent TEXT, model TEXT, tier TEXT, factor REAL, UNIQUE(agent, model, tier, factor)
);
CREATE TABLE sessions(
    id INTEGER PRIMARY KEY, agent TEXT, session TEXT, parent TEXT DEFAULT '', project TEXT DEFAULT '',
    UNIQUE(agent, session)
);
CREATE TABLE threads(thread TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE facts(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""

TABLES: Final = ("files", "responses", "kinds", "sessions", "threads", "facts")

SAVE_FILE: Final = "INSERT OR REPLACE INTO files VALUES(?,?,?,?,?,?,?,?,?,?)"

SAVE_SESSION: Final = (
    "INSERT INTO sessions(agent, session, parent, project) VALUES(?1, ?2, ?3, ?4)"
    " ON CONFLICT(agent, session) DO UPDATE SET parent = CASE WHEN parent = '' THEN ?3 ELSE parent END,"
    " project = CASE WHEN project = '' THEN ?4 ELSE project END"
)

HAS_ASIDES: Final = "SELECT 1 FROM responses WHERE sidechain = 1 AND message <> 0 LIMIT 1"
"""Whether there can be replays; the index `asides` is for this and for them."""

REPLAYS: Final = (
    "INSERT INTO temp.replays SELECT id FROM responses WHERE sidechain = 1 AND message <> 0 AND message IN"
    " (SELECT message FROM responses WHERE sidechain = 0 AND message IN"
    " (SELECT message FROM responses WHERE sidechain = 1 AND message <> 0))"
)
"""An aside repeats messages of the main conversation under requests of its own."""

VIEWS: Final = (
    "WITH kept AS (SELECT * FROM responses r WHERE NOT"
    " (r.sidechain = 1 AND EXISTS(SELECT 1 FROM temp.replays p WHERE p.id = r.id))),"
    " billed AS (SELECT r.*, k.agent, k.model, k.tier, k.factor, s.session FROM kept r"
    " JOIN kinds k ON k.id = r.kind JOIN sessions s ON s.id = r.owner) "
)
"""What queries are put to: `kept` are the responses that count, `billed` the same with their names."""

_EARLIER: Final = (
    "(excluded.copied, CASE excluded.at WHEN 0 THEN 9e15 ELSE excluded.at END, excluded.born)"
    " < (responses.copied, CASE responses.at WHEN 0 THEN 9e15 ELSE responses.at END, responses.born)"
)
"""The first record of a response owns it; a copy in a fork never does while the original is known."""

_NUMBERS: Final = ("kind", "input", "cw5", "cw1h", "cache_read", "output", "reasoning", "web", "total", "cost")

UPSERT: Final = (
    f"INSERT INTO responses VALUES({','.join('?' * 18)}) ON CONFLICT(id) DO UPDATE SET "
    + ", ".join(
        f"{name} = CASE WHEN ?19 OR excluded.total > responses.total THEN excluded.{name} ELSE responses.{name} END"
        for name in _NUMBERS
    )
    + ", "
    + ", ".join(
        f"{name} = CASE WHEN {_EARLIER} THEN excluded.{name} ELSE responses.{name} END"
        for name in ("owner", "copied", "born")
    )
    + ", at = CASE WHEN responses.at = 0 OR (excluded.at > 0 AND excluded.at < responses.at)"
    " THEN excluded.at ELSE responses.at END, sidechain = min(excluded.sidechain, responses.sidechain)"
)
"""Parameters are the columns in their order, and whether the latest writing counts instead of the largest."""

PRIME: Final = 8_317_460_952_713_486_071
"""A prime of 63 bits, no neighbour of a power of two."""


def number(text: str) -> int:
    """A text of any length as a number of 63 bits that fits a row id; two texts have the same once in 2**62 pairs."""
    return int.from_bytes(text.encode("utf-8", "replace"), "big") % PRIME


def identity(agent: str, key: str) -> int:
    """The row id of a response."""
    return number(f"{agent}:{key}")
